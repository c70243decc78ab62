//! Rule: every file says what it is for.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "module-doc",
    demands: "every .rs file is Rust and opens with `//!`: what it does, and what it does not",
    check,
};

fn check(tree: &Tree, found: &mut Findings) {
    for file in &tree.rust {
        let opening = file.text.lines().next().unwrap_or_default();
        let doc = opening.strip_prefix("//!").unwrap_or_default();
        if doc.trim().is_empty() {
            let message = "open the file with `//!`: what it does, and what it does not";
            found.add(&file.path, 1, message);
        }
        if !file.is_rust {
            let message = "this is not Rust (no other rule could look into it): close the brackets";
            found.add(&file.path, 1, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn a_file_without_its_doc_is_found() {
        for text in [
            "//! What it does.\nfn f() {}",
            "fn f() {} ~~",
            "~~",
            "//!~~\nfn f() {}",
            "// What it does.~~",
            "~~\n//! Late.",
            "//! What it does.~~\nfn f( {",
        ] {
            RULE.check(&[("a.rs", text)]);
        }
    }
}
