//! Rule: tests wait for what they need, never for a time.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "sleep",
    demands: "no `sleep(` in tests of crates/, but for a task that pretends to work in a worker \
              process: its line carries `// work:`",
    check,
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
    use super::RULE;

    #[test]
    fn sleeps_in_tests_are_found() {
        let code = "fn f() { thread::sleep(SECOND); }";
        let found = format!("{code} ~~");
        RULE.check(&[("crates/a/tests/b.rs", &found)]);
        RULE.check(&[("crates/a/src/b/tests.rs", &found)]);
        RULE.check(&[("crates/a/src/b.rs", code)]);
        let module = format!("#[cfg(test)]\nmod tests {{\n{found}\n}}");
        RULE.check(&[("crates/a/src/b.rs", &module)]);
    }

    #[test]
    fn pretended_work_is_fine() {
        for code in [
            "sleep(LONG).await; // work: holds its place",
            "// work: holds its place\nsleep(LONG).await;",
            "f(); // work: far\nsleep(LONG).await; ~~",
            "fn sleep(x: u8) {}",
        ] {
            RULE.check(&[("crates/a/tests/b.rs", code)]);
        }
    }
}
