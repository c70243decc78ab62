//! Rule: nothing unfinished, switched off or silenced on the main branch. (Of macros for work in progress clippy tells
//! too, but not of those in generated code and for other systems.)

use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "unfinished",
    demands: "no ignored tests or examples, no todo!, unimplemented! or dbg!, no to-do or fix-me \
              comments; `#[expect(…, reason = \"…\")]` in place of `#[allow(…)]`, but for code \
              that mt-macros generates, marked `// generated:`",
    check,
};

const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

const COMMENT_WORDS: &[&str] = &["TODO", "FIXME"];

fn check(tree: &Tree, found: &mut Findings) {
    for file in &tree.rust {
        unfinished_code(file, found);
        for comment in &file.comments {
            let mut words = comment.text.split(|c: char| !c.is_alphanumeric());
            if words.any(|word| COMMENT_WORDS.contains(&word)) {
                let message = "no notes to oneself on main: do it, or write it down in an issue";
                found.add(&file.path, comment.line, message);
            }
            if comment.text.contains("```ignore") {
                let message =
                    "an example that is not compiled goes stale: make it compile, or `text`";
                found.add(&file.path, comment.line, message);
            }
        }
    }
}

fn unfinished_code(file: &RustFile, found: &mut Findings) {
    let is_called = |at| file.tokens_are(at, &["!"]) && !file.tokens_are(at, &["!", "="]);
    for (at, token) in file.tokens.iter().enumerate() {
        let message = match token.text.as_str() {
            name if MACROS.contains(&name) && is_called(at + 1) => {
                "this macro is for work in progress: finish it, or take it out"
            }
            "ignore" if in_attribute(file, at, "]") => {
                "a test that does not run proves nothing: make it run, or delete it"
            }
            "allow" if in_attribute(file, at, "(") && !is_generated(file, token.line) => {
                "write `#[expect(…, reason = \"…\")]`: it says why, and tells when its time is over"
            }
            _ => continue,
        };
        found.add(&file.path, token.line, message);
    }
}

/// Whether the name at `at` is the one of an attribute, `#[name …` or `#![name …`, or one with `next`
/// behind it inside a `cfg_attr`.
fn in_attribute(file: &RustFile, at: usize, next: &str) -> bool {
    let begins = file.follows(at, &["#", "["]) || file.follows(at, &["#", "!", "["]);
    begins || (file.follows(at, &[","]) && file.tokens_are(at + 1, &[next]))
}

fn is_generated(file: &RustFile, line: usize) -> bool {
    let mut comments = file.comments_at(line);
    file.path.starts_with("crates/mt-macros/src/")
        && comments.any(|comment| comment.contains("generated:"))
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn each_kind_of_loose_end_is_found() {
        for code in [
            "#[ignore]",
            "#[ignore = \"slow\"]",
            "fn f() { todo!() }",
            "fn f() { core::unimplemented!(\"later\") }",
            "fn f() { dbg!(1); }",
            "// TODO: more.",
            "/// FIXME later.",
            "/// ```ignore",
            "#![allow(dead_code)]",
            "#[cfg_attr(test, allow(dead_code))]",
        ] {
            RULE.check(&[("a.rs", &format!("//! A.\n{code} ~~\nfn g() {{}}"))]);
        }
    }

    #[test]
    fn the_same_words_elsewhere_are_fine() {
        for code in [
            "#[expect(dead_code, reason = \"used by one platform only\")]\nfn f() {}",
            "const A: &str = \"TODO #[ignore] dbg!\";",
            "fn f(todo: bool) -> bool { todo != allow(1) }",
            "fn f(dbg: u8) -> bool { dbg != 1 }",
            "fn ignore(x: u8) { ignore(x) }",
        ] {
            RULE.check(&[("a.rs", code)]);
        }
        let generated = "fn f() {\n// generated: the user's names\n#[allow(non_snake_case)]";
        RULE.check(&[(
            "crates/mt-macros/src/task.rs",
            &format!("{generated}\nx }}"),
        )]);
        RULE.check(&[(
            "crates/mt-pool/src/task.rs",
            &format!("{generated} ~~\nx }}"),
        )]);
    }
}
