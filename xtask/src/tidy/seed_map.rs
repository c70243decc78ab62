//! Rule: every name of the seed documents leads to an item that exists.
//!
//! `docs/seed-map.md` holds tables `| seed | Rust item | file |`. This looks for the item's name
//! among the file's identifiers; that it means the same is for the reader to judge.

use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "seed-map",
    demands: "each row `| seed | Rust item | file |` of docs/seed-map.md, if it exists, names in \
              backticks items that its file holds",
    check,
};

const MAP: &str = "docs/seed-map.md";

fn check(tree: &Tree) -> Vec<Violation> {
    let Some(map) = tree.markdown_file(MAP) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut rows = 0;
    for (number, line) in map.text.lines().enumerate() {
        if let Some((item, file)) = row(line) {
            rows += 1;
            let missing = missing(tree, item, file);
            found.extend(missing.map(|message| Violation::new(MAP, number + 1, message)));
        }
    }
    if rows == 0 {
        found.push(Violation::new(
            MAP,
            1,
            "no row `| seed | Rust item | file |` found",
        ));
    }
    found
}

/// The last two cells of a row of three that is neither header nor ruler.
fn row(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    let &[seed, item, file] = cells.as_slice() else {
        return None;
    };
    let is_ruler = seed.chars().all(|c| matches!(c, '-' | ':')) && !seed.is_empty();
    (!is_ruler && !seed.eq_ignore_ascii_case("seed")).then_some((item, file))
}

fn missing(tree: &Tree, item: &str, file: &str) -> Option<String> {
    let path = in_backticks(file).next().unwrap_or(file);
    let Some(source) = tree.rust_file(path) else {
        return Some(format!(
            "there is no Rust file `{path}`: give its path from the root"
        ));
    };
    let mut names = in_backticks(item).map(identifier).peekable();
    if names.peek().is_none() {
        return Some("name the Rust item in backticks".to_owned());
    }
    let exists = |name: &str| source.tokens.iter().any(|t| t.is_ident && t.text == name);
    let lost = names.find(|name| !exists(name))?;
    Some(format!("`{path}` has no `{lost}`: correct the row"))
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
mod tests {
    use super::{super::violation::check, RULE, identifier};

    #[test]
    fn rows_that_lead_nowhere_are_found() {
        let source = ("crates/a/src/b.rs", "impl Pool { pub fn start() {} }");
        let header = "| seed | Rust item | file |\n|---|---|---|\n";
        let check_row = |row: &str, expected: &[&str]| {
            check(
                &RULE,
                &[source, ("docs/seed-map.md", &format!("{header}{row}\n"))],
                expected,
            );
        };
        let line_3 = ["docs/seed-map.md:3"];
        check_row("| `x` | `Pool::start`, `Pool` | `crates/a/src/b.rs` |", &[]);
        check_row("| `x` | `Pool::stop` | `crates/a/src/b.rs` |", &line_3);
        check_row("| `x` | `Pool::start` | `crates/a/src/c.rs` |", &line_3);
        check_row("| `x` | somewhere | `crates/a/src/b.rs` |", &line_3);
        check_row("no rows", &["docs/seed-map.md:1"]);
        check(&RULE, &[source], &[]);
    }

    #[test]
    fn an_item_ends_with_its_identifier() {
        for (item, expected) in [
            ("asyn_pmap::<f>", "asyn_pmap"),
            ("Pool::<T>::start(now)", "start"),
            ("WorkIterator<T>", "WorkIterator"),
            ("task!", "task"),
            ("Options.batch_size", "batch_size"),
        ] {
            assert_eq!(identifier(item), expected);
        }
    }
}
