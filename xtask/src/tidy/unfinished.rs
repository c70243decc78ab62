//! Rule: nothing unfinished, switched off or silenced on the main branch.

use super::known::Known;
use super::rust_file::RustFile;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "unfinished",
    demands: "no ignored tests or examples, no todo!, unimplemented! or dbg!, no to-do or fix-me \
              comments; `#[expect(…, reason = \"…\")]` in place of `#[allow(…)]`, but for code \
              that mt-macros generates, marked `// generated:`",
    check,
    known: Known::Nothing,
};

const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

const COMMENT_WORDS: &[&str] = &["TODO", "FIXME"];

fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust.iter().flat_map(unfinished).collect()
}

fn unfinished(file: &RustFile) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, token) in file
        .tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is_ident)
    {
        let name = token.text.as_str();
        let is_macro =
            file.tokens_are(index + 1, &["!"]) && !file.tokens_are(index + 1, &["!", "="]);
        let message = if MACROS.contains(&name) && is_macro {
            format!("`{name}!` is for work in progress: finish it, or take it out")
        } else if name == "ignore" && starts_attribute(file, index) {
            "a test that does not run proves nothing: make it run, or delete it".to_owned()
        } else if is_allow(file, index) && !is_generated(file, token.line) {
            "write `#[expect(…, reason = \"…\")]`: it says why, and tells when it is no longer \
             needed"
                .to_owned()
        } else {
            continue;
        };
        found.push(Violation::new(&file.path, token.line, message));
    }
    for comment in &file.comments {
        let mut words = comment.text.split(|c: char| !c.is_alphanumeric());
        if let Some(word) = words.find(|word| COMMENT_WORDS.contains(word)) {
            let message =
                format!("no {word} on the main branch: do it, or write it down in an issue");
            found.push(Violation::new(&file.path, comment.line, message));
        }
        if comment.text.contains("```ignore") {
            let message = "an example that is not compiled goes stale: make it compile, or `text`";
            found.push(Violation::new(&file.path, comment.line, message));
        }
    }
    found
}

/// `#[allow(…)]`, `#![allow(…)]`, or either inside `cfg_attr`.
fn is_allow(file: &RustFile, index: usize) -> bool {
    let is_in_cfg_attr = || index > 0 && file.tokens_are(index - 1, &[","]);
    file.tokens_are(index, &["allow", "("]) && (starts_attribute(file, index) || is_in_cfg_attr())
}

fn starts_attribute(file: &RustFile, index: usize) -> bool {
    (index >= 2 && file.tokens_are(index - 2, &["#", "["]))
        || (index >= 3 && file.tokens_are(index - 3, &["#", "!", "["]))
        || (index >= 1
            && file.tokens_are(index - 1, &[","])
            && file.tokens_are(index, &["ignore", "]"]))
}

fn is_generated(file: &RustFile, line: usize) -> bool {
    file.path.starts_with("crates/mt-macros/src/")
        && file
            .comments_at(line)
            .any(|comment| comment.contains("generated:"))
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn each_kind_of_loose_end_is_found() {
        for code in [
            "#[ignore]",
            "#[ignore = \"slow\"]",
            "fn f() { todo!() }",
            "fn f() { std::unimplemented!(\"later\") }",
            "fn f() { dbg!(1); }",
            "// TODO: more.",
            "/// FIXME later.",
            "/// ```ignore",
            "#![allow(dead_code)]",
            "#[cfg_attr(test, allow(dead_code))]",
        ] {
            check(
                &RULE,
                &[("a.rs", &format!("//! A.\n{code}\nfn g() {{}}"))],
                &["a.rs:2"],
            );
        }
    }

    #[test]
    fn the_same_words_elsewhere_are_fine() {
        for code in [
            "#[expect(dead_code, reason = \"used by one platform only\")]\nfn f() {}",
            "const A: &str = \"TODO #[ignore] dbg!\";",
            "fn f(todo: bool) -> bool { todo != allow(1) }",
            "fn ignore(x: u8) { ignore(x) }",
        ] {
            check(&RULE, &[("a.rs", code)], &[]);
        }
        let code = "fn f() {\n// generated: the user's names\n#[allow(non_snake_case)] x }";
        check(&RULE, &[("crates/mt-macros/src/task.rs", code)], &[]);
        check(
            &RULE,
            &[("crates/mt-pool/src/task.rs", code)],
            &["crates/mt-pool/src/task.rs:3"],
        );
    }
}
