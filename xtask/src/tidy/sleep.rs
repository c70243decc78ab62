//! Rule: tests wait for what they need, never for a time.

use super::{Findings, Known, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "sleep",
    demands: "no `sleep(` in tests of crates/, but for a task that pretends to work in a worker \
              process: its line carries `// work:`",
    check,
    known: Known::Nothing,
};

const SLEEPS: &[&str] = &["sleep", "sleep_until", "sleep_ms"];

fn check(tree: &Tree, found: &mut Findings) {
    let files = tree.rust.iter();
    for file in files.filter(|file| file.path.starts_with("crates/")) {
        let calls = SLEEPS.iter().flat_map(|name| file.find([name, "("]));
        let in_tests = calls.filter(|&at| file.tokens[at].in_test);
        let is_work = |line| file.comments_at(line).any(|text| text.contains("work:"));
        let is_fine = |at: usize| is_work(file.tokens[at].line) || file.follows(at, &["fn"]);
        found.add_tokens(
            file,
            in_tests.filter(|&at| !is_fine(at)),
            "wait for the event itself, with a deadline; if a task pretends to work in a worker \
             process, say so: `// work: …`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn sleeps_in_tests_are_found() {
        let test = "crates/a/tests/b.rs";
        let source = "crates/a/src/b.rs";
        let code = "fn f() { thread::sleep(SECOND); }";
        check(&RULE, &[(test, code)], &["crates/a/tests/b.rs:1"]);
        check(&RULE, &[(source, code)], &[]);
        let module = format!("#[cfg(test)]\nmod tests {{\n{code}\n}}");
        check(&RULE, &[(source, &module)], &["crates/a/src/b.rs:3"]);
        check(
            &RULE,
            &[("crates/a/src/b/tests.rs", code)],
            &["crates/a/src/b/tests.rs:1"],
        );
    }

    #[test]
    fn pretended_work_is_fine() {
        let test = "crates/a/tests/b.rs";
        check(
            &RULE,
            &[(test, "sleep(LONG).await; // work: holds its place\n")],
            &[],
        );
        check(
            &RULE,
            &[(test, "// work: holds its place\nsleep(LONG).await;\n")],
            &[],
        );
        check(
            &RULE,
            &[(test, "f(); // work: far\nsleep(LONG).await;\n")],
            &["crates/a/tests/b.rs:2"],
        );
        check(&RULE, &[(test, "fn sleep(x: u8) {}\n")], &[]);
    }
}
