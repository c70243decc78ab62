//! Rule: every name and every argument of the seed documents leads to an item that exists.
//!
//! `docs/seed-map.md` holds tables `| seed | Rust item | file |`, with `name`, `name(argument)` or
//! `Class.method(argument)` of the seed in the first column. This looks for what the second column names
//! among what the file defines; that it means the same is for the reader to judge.

mod seed;

use std::collections::BTreeSet;

use self::seed::NAMES;
use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "seed-map",
    demands: "docs/seed-map.md has a row `| seed | Rust item | file |` for every name and argument of \
              the seed, naming in backticks items that the file defines",
    check,
};

const MAP: &str = "docs/seed-map.md";

fn check(tree: &Tree, found: &mut Findings) {
    let Some(map) = tree.markdown_file(MAP) else {
        found.add(MAP, 1, "write the map of the seed's names");
        return;
    };
    let mut missing = names();
    let names = missing.clone();
    for (number, line) in map.text.lines().enumerate() {
        let Some([seed, item, file]) = row(line) else {
            continue;
        };
        let name = in_backticks(seed).next().unwrap_or(seed);
        missing.remove(name);
        if !names.contains(name) {
            let message = format!("`{name}` is not a name of the seed: correct the row");
            found.add(MAP, number + 1, message);
        } else if let Err(message) = look_up(tree, item, file) {
            found.add(MAP, number + 1, message);
        }
    }
    for name in missing {
        let message = format!("the seed's `{name}` has no row: give it one");
        found.add(MAP, 1, message);
    }
}

/// Everything that has to have a row.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in NAMES.split(';') {
        let mut words = entry.split_whitespace();
        let Some(name) = words.next() else { continue };
        names.insert(name.to_owned());
        names.extend(words.map(|argument| format!("{name}({argument})")));
    }
    names
}

/// The cells of a row of three that is neither header nor ruler.
fn row(line: &str) -> Option<[&str; 3]> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let &[seed, item, file] = cells.as_slice() else {
        return None;
    };
    let is_ruler = seed.chars().all(|c| matches!(c, '-' | ':')) && !seed.is_empty();
    (!is_ruler && !seed.eq_ignore_ascii_case("seed")).then_some([seed, item, file])
}

/// Whether a file defines the items that a row names; if not, what is wrong with the row.
fn look_up(tree: &Tree, item: &str, file: &str) -> Result<(), String> {
    let path = in_backticks(file).next().unwrap_or(file);
    let Some(source) = tree.rust.iter().find(|file| file.path == path) else {
        return Err(format!("there is no Rust file `{path}`: give its path"));
    };
    let names: Vec<&str> = in_backticks(item).map(identifier).collect();
    if names.is_empty() {
        return Err("name the Rust item in backticks".to_owned());
    }
    match names.into_iter().find(|name| !defines(source, name)) {
        Some(lost) => Err(format!("`{path}` defines no `{lost}`: correct the row")),
        None => Ok(()),
    }
}

/// What stands before the name of an item.
const KEYWORDS: &str = "fn struct enum trait type const static mod";

/// Whether the file has an item, a field, a parameter or a variant without a tuple of this name.
fn defines(file: &RustFile, name: &str) -> bool {
    let text = |index: usize| file.tokens.get(index).map_or("", |token| &token.text);
    let is_defined_at = |at: usize| {
        let before = at.checked_sub(1).map_or("", text);
        let is_macro = file.follows(at, &["macro_rules", "!"]);
        let is_variant =
            matches!(before, "{" | "," | "]") && matches!(text(at + 1), "{" | "," | "}");
        let is_item = KEYWORDS.split(' ').any(|keyword| keyword == before);
        is_item || is_macro || text(at + 1) == ":" || is_variant
    };
    let mut named = (0..file.tokens.len()).filter(|&at| file.is_ident(at) && text(at) == name);
    named.any(is_defined_at)
}

fn in_backticks(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// `Pool::<T>::start(…)` → `start`; `asyn_pmap::<f>` → `asyn_pmap`.
fn identifier(item: &str) -> &str {
    let item = item.split(['(', '!']).next().unwrap_or_default();
    let is_name = |part: &&str| part.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let parts: Vec<&str> = item.split("::").map(str::trim).filter(is_name).collect();
    let last = parts.last().copied().unwrap_or(item);
    let last = last.split(['<', ' ']).next().unwrap_or_default();
    last.rsplit('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
