//! Rule: what users read speaks of processes.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "she",
    demands: "no text in crates/*/src says she, her, he, him, his or hers: a worker is a process",
    check,
};

const WORDS: &[&str] = &["she", "her", "he", "him", "his", "hers"];

fn check(tree: &Tree, found: &mut Findings) {
    for file in tree.sources() {
        let code = file.tokens.iter().filter(|token| !token.in_test);
        for token in code.filter(|token| token.is_text()) {
            let text = token.text.to_lowercase();
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            if let Some(word) = words.find(|word| WORDS.contains(word)) {
                let message =
                    format!("say `the worker's process` or the like in place of `{word}`");
                found.add(&file.path, token.line, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn texts_that_say_she_are_found() {
        for text in [
            r#"fn f() { g("the bee: she has gone") } ~~"#,
            r##"const A: &str = r#"Her end"#; ~~"##,
            r#"#[error("killed, and his bees")] struct A; ~~"#,
            r#"fn f(she: u8) { g("the others, a sheet, here") } // she"#,
            r#"#[cfg(test)] mod tests { const A: &str = "she"; }"#,
        ] {
            RULE.check(&[("crates/mt-a/src/a.rs", text)]);
            RULE.check(&[("crates/mt-a/tests/a.rs", text.trim_end_matches('~'))]);
        }
    }
}
