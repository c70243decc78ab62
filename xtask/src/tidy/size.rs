//! Rule: files and functions fit in a head.
//!
//! Functions are counted here, with their blank lines and comments; clippy's `too_many_lines`
//! counts code lines only and does not see functions inside macro calls.

use super::known::Known;
use super::rust_file::RustFile;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "size",
    demands: "no Rust file over 500 lines, the median under 120, no function body over 60",
    check,
    known: Known::Subjects(&["attend", "fmt_own", "launch", "start"]),
};

const MAX_FILE_LINES: usize = 500;
const MEDIAN_FILE_LINES: usize = 120;
const MAX_FUNCTION_LINES: usize = 60;

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found: Vec<Violation> = tree.rust.iter().flat_map(oversize).collect();
    let mut sizes: Vec<usize> = tree
        .rust
        .iter()
        .map(|file| file.text.lines().count())
        .collect();
    sizes.sort_unstable();
    if let Some(&median) = sizes.get(sizes.len() / 2)
        && median >= MEDIAN_FILE_LINES
    {
        let message = format!("the median Rust file has {median} lines: split files by role");
        found.push(Violation::new("Cargo.toml", 1, message));
    }
    found
}

fn oversize(file: &RustFile) -> Vec<Violation> {
    let mut found = Vec::new();
    let lines = file.text.lines().count();
    if lines > MAX_FILE_LINES {
        let message = format!("{lines} lines, at most {MAX_FILE_LINES}: split the file by role");
        found.push(Violation::new(&file.path, 1, message));
    }
    for index in 0..file.tokens.len() {
        let Some(body) = body_lines(file, index).filter(|lines| *lines > MAX_FUNCTION_LINES) else {
            continue;
        };
        let (name, line) = (&file.tokens[index + 1].text, file.tokens[index].line);
        let message = format!("`{name}` has {body} lines, at most {MAX_FUNCTION_LINES}: split it");
        found.push(Violation::new(&file.path, line, message).about(name));
    }
    found
}

/// The lines between the braces of the function whose `fn` is at `index`; `None` if there is no
/// function, or no body.
fn body_lines(file: &RustFile, index: usize) -> Option<usize> {
    if !file.tokens_are(index, &["fn"]) || !file.tokens.get(index + 1)?.is_ident {
        return None;
    }
    let mut depth = 0_usize;
    let mut start = None;
    for token in &file.tokens[index..] {
        match token.text.as_str() {
            ";" if depth == 0 => return None,
            "{" if depth == 0 => (start, depth) = (Some(token.line), 1),
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if let Some(first) = start
            && depth == 0
        {
            return Some((token.line - first).saturating_sub(1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn long_functions_are_found_also_in_macros() {
        let function = |lines| {
            format!(
                "trait T {{ fn a(&self) -> [u8; 2]; }}\nfn f() {{\n{}}}\n",
                "g();\n".repeat(lines)
            )
        };
        check(&RULE, &[("a.rs", &function(60))], &[]);
        check(&RULE, &[("a.rs", &function(61))], &["a.rs:2"]);
        let in_macro = format!("m! {{\n{}}}\n", function(61));
        check(&RULE, &[("a.rs", &in_macro)], &["a.rs:3"]);
    }

    #[test]
    fn long_files_are_found() {
        let small = [("b.rs", "\n"), ("c.rs", "\n")];
        let sized = |lines| "\n".repeat(lines);
        check(&RULE, &[("a.rs", &sized(500)), small[0], small[1]], &[]);
        check(
            &RULE,
            &[("a.rs", &sized(501)), small[0], small[1]],
            &["a.rs:1"],
        );
    }

    #[test]
    fn the_median_is_held_down() {
        let (small, large) = ("\n".repeat(10), "\n".repeat(120));
        check(
            &RULE,
            &[("a.rs", &small), ("b.rs", &small), ("c.rs", &large)],
            &[],
        );
        check(
            &RULE,
            &[("a.rs", &small), ("b.rs", &large), ("c.rs", &large)],
            &["Cargo.toml:1"],
        );
    }
}
