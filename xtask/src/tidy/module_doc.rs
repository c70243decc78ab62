//! Rule: every file says what it is for.

use super::{Known, Rule, Tree, Violation};

pub(super) const RULE: Rule = Rule {
    name: "module-doc",
    demands: "every .rs file is Rust and opens with `//!`: what it does, and what it does not",
    check,
    known: Known::Nothing,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in &tree.rust {
        let doc = file
            .text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("//!"));
        if doc.is_none_or(|doc| doc.trim().is_empty()) {
            let message = "open the file with `//!`: what it does, and what it does not";
            found.push(Violation::new(&file.path, 1, message));
        }
        if !file.is_rust {
            let message = "this is not Rust (no other rule could look into it): close the brackets";
            found.push(Violation::new(&file.path, 1, message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn a_file_without_its_doc_is_found() {
        check(&RULE, &[("a.rs", "//! What it does.\nfn f() {}")], &[]);
        for text in [
            "fn f() {}",
            "",
            "//!\nfn f() {}",
            "// What it does.",
            "\n//! Late.",
        ] {
            check(&RULE, &[("a.rs", text)], &["a.rs:1"]);
        }
        check(
            &RULE,
            &[("a.rs", "//! What it does.\nfn f( {")],
            &["a.rs:1"],
        );
    }
}
