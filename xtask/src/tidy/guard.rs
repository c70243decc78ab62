//! Rule: user code in the parent runs through the one guard, and nowhere past it.
//!
//! What is user code is known by how it is called: by a name that only it has, through a field that holds a function,
//! or by a macro of `tracing`, whose subscriber is the user's.

use std::ops::Range;

use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "guard",
    demands: "`catch_unwind` only in crates/mt-proto/src/guard.rs, what is below it, and crates/mt-pool/src/worker/panic.rs; outside \
              `worker/` and `executor/` of mt-pool and mt-beehive, calls of user code (encoding, decoding, polling a \
              stream, `size_hint`, `describe_error`, wakers, functions in fields, `tracing`) stand inside \
              `guarded(…)` or its like, or on a line with `// guarded: ` and where or why not",
    check,
};

/// The files that catch panics.
const CATCHERS: &[&str] = &[
    "crates/mt-proto/src/guard.rs",
    "crates/mt-proto/src/guard/payload.rs",
    "crates/mt-pool/src/worker/panic.rs",
];

/// Where the code of a parent process is, and folders there that are of the worker's.
const PARENTS: &[&str] = &["crates/mt-pool/src/", "crates/mt-beehive/src/"];
const WORKERS: &[&str] = &["/worker/", "/executor/"];

/// What takes user code and guards it.
const GUARDS: &[&str] = &["guarded", "caught", "caught_async", "tell"];

/// Functions that are the user's, or call what is; methods of these names are others.
const FUNCTIONS: &[&str] = &[
    "decode_strict",
    "decode_checked",
    "decode_item",
    "encode",
    "encode_checked",
    "encode_into",
    "push_record",
    "describe_error",
];

/// Methods that are the user's; those without arguments only without.
const METHODS: &[&str] = &["poll_next", "poll_next_unpin", "size_hint"];
const WITHOUT_ARGUMENTS: &[&str] = &["wake", "wake_by_ref"];

const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

fn check(tree: &Tree, found: &mut Findings) {
    for file in tree.sources() {
        if !CATCHERS.contains(&file.path.as_str()) {
            let catches = file.find(["catch_unwind"]);
            let message = "only the guard catches panics: use `mt_proto::guarded`";
            found.add_tokens(
                file,
                catches.filter(|&at| !file.tokens[at].in_test),
                message,
            );
        }
        let of_parent = PARENTS.iter().any(|folder| file.path.starts_with(folder));
        if !of_parent || WORKERS.iter().any(|folder| file.path.contains(folder)) {
            continue;
        }
        let guarded: Vec<Range<usize>> = guarded_regions(file).collect();
        let is_fine = |at: usize| {
            let token = &file.tokens[at];
            let mut comments = file.comments_at(token.line);
            token.in_test
                || guarded.iter().any(|region| region.contains(&at))
                || comments.any(|text| text.contains("guarded: "))
        };
        let calls = (0..file.tokens.len()).filter(|&at| calls_user(file, at));
        let message = "user code may panic: call it inside `mt_proto::guarded`, or say where it is guarded: \
                       `// guarded: …`";
        found.add_tokens(file, calls.filter(|&at| !is_fine(at)), message);
    }
}

/// What stands between the brackets of the calls that guard.
fn guarded_regions(file: &RustFile) -> impl Iterator<Item = Range<usize>> {
    let guards = GUARDS.iter().flat_map(|name| file.find([name, "("]));
    guards.map(|at| at..file.closing(at + 1))
}

/// Whether user code is called by the token at `at`.
fn calls_user(file: &RustFile, at: usize) -> bool {
    let token = &file.tokens[at];
    if token.text == "(" {
        // `(self.call)(…)`
        let mut end = at + 2;
        while file.tokens_are(end, &["."]) && file.is_ident(end + 1) {
            end += 2;
        }
        return end > at + 2 && file.is_ident(at + 1) && file.tokens_are(end, &[")", "("]);
    }
    if file.follows(at, &["tracing", "::"]) {
        return LEVELS.contains(&token.text.as_str()) && file.tokens_are(at + 1, &["!"]);
    }
    let (name, is_method) = (token.text.as_str(), file.follows(at, &["."]));
    if is_method && WITHOUT_ARGUMENTS.contains(&name) {
        return file.tokens_are(at + 1, &["(", ")"]);
    }
    let users = if is_method { METHODS } else { FUNCTIONS };
    let is_called = file.tokens_are(at + 1, &["("]) || file.tokens_are(at + 1, &["::", "<"]);
    is_called && users.contains(&name) && !file.follows(at, &["fn"])
}

#[cfg(test)]
mod tests {
    use super::RULE;

    const FEEDER: &str = "crates/mt-pool/src/input/feeder.rs";

    #[test]
    fn panics_are_caught_in_one_place() {
        let catches = "fn f() { panic::catch_unwind(g); }";
        RULE.check(&[("crates/mt-proto/src/guard.rs", catches)]);
        for path in [
            FEEDER,
            "crates/mt-ipc/src/spawn.rs",
            "crates/mt-pool/src/worker/link.rs",
        ] {
            RULE.check(&[(path, &format!("{catches} ~~"))]);
            RULE.check(&[(path, &format!("#[cfg(test)]\nmod tests {{ {catches} }}"))]);
        }
    }

    #[test]
    fn calls_of_user_code_are_found() {
        for call in [
            "decode_strict(bytes)",
            "mt_proto::decode_strict::<E>(bytes)",
            "push_record(into, tag, &item, limit)",
            "source.size_hint()",
            "stream.poll_next_unpin(cx)",
            "waker.wake()",
            "T::describe_error(&error)",
            "(self.call)(progress)",
            "(lease.spec.assignment)(worker)",
            "tracing::warn!(worker, \"gone\")",
        ] {
            for path in [FEEDER, "crates/mt-beehive/src/driver/driver.rs"] {
                RULE.check(&[(path, &format!("fn f() {{ {call}; }} ~~"))]);
                RULE.check(&[(path, &format!("fn f() {{ let _ = guarded(|| {call}); }}"))]);
                RULE.check(&[(path, &format!("fn f() {{ relay.tell(move || {call}); }}"))]);
                let noted = format!("fn f() {{\n// guarded: above.\n{call};\n}}");
                RULE.check(&[(path, &noted)]);
            }
            let elsewhere = format!("fn f() {{ {call}; }}");
            RULE.check(&[("crates/mt-pool/src/executor/job.rs", &elsewhere)]);
            RULE.check(&[("crates/mt-ipc/src/spawn.rs", &elsewhere)]);
        }
    }

    #[test]
    fn what_only_looks_like_a_call_is_none() {
        for code in [
            "fn poll_next(&mut self) {}",
            "use mt_proto::{encode, decode_strict};",
            "fn f() { (a.b)?; (a)(); (a, b)(); self.encode(item); queue.wake(now); }",
            "/// tracing::warn!(x)\nfn f() { info!(); tracing::info_span!(); }",
        ] {
            RULE.check(&[(FEEDER, code)]);
        }
    }
}
