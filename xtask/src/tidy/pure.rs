//! Rule: what decides does not act. Pure files reach for no runtime, clock, thread, file or socket.

use super::known::Known;
use super::rust_file::{NamedPath, RustFile};
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "pure",
    demands: "files of mt-proto and files whose `//!` doc has a line `Pure: …` name no tokio, \
              clock, thread, fs, net, process, env or random source; dispatch* and \
              supervision/liveness* of mt-pool and machine/* of mt-beehive carry that line",
    check,
    known: Known::Nothing,
};

const MARKER: &str = "Pure:";

/// Where files must carry the marker.
const DECIDERS: &[&str] = &[
    "crates/mt-pool/src/dispatch",
    "crates/mt-pool/src/supervision/liveness",
    "crates/mt-beehive/src/machine/",
];

const BANNED_CRATES: &[&str] = &["tokio", "tokio_util"];

const BANNED_PATHS: &[&str] = &[
    "std::thread",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "rand::rng",
    "rand::random",
];

fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust.iter().filter(|file| !file.is_test()).flat_map(|file| {
        let mut found = Vec::new();
        let is_marked = file.has_marker(MARKER);
        if !is_marked && DECIDERS.iter().any(|prefix| file.path.starts_with(prefix)) {
            let message = "decisions are pure: say `//! Pure: no IO, no clock, no runtime.` and \
                           keep to it";
            found.push(Violation::new(&file.path, 1, message));
        }
        if is_marked || file.path.starts_with("crates/mt-proto/src/") {
            found.extend(impurities(file));
        }
        found
    }).collect()
}

fn impurities(file: &RustFile) -> Vec<Violation> {
    let violation = |what: &str, line| {
        let message = format!(
            "a pure file names `{what}`: take the time or the value as a parameter, give the \
             effect out as a value"
        );
        Violation::new(&file.path, line, message)
    };
    let paths = file.paths();
    let mut found: Vec<Violation> = paths
        .iter()
        .filter(|path| !path.in_test && is_banned(path))
        .map(|path| violation(&path.segments.join("::"), path.line))
        .collect();
    // `Instant::elapsed` asks the clock too.
    found.extend(
        (0..file.tokens.len())
            .filter(|&index| file.tokens_are(index, &[".", "elapsed", "(", ")"]))
            .filter(|&index| !file.tokens[index].in_test)
            .map(|index| violation(".elapsed()", file.tokens[index].line)),
    );
    found
}

fn is_banned(path: &NamedPath) -> bool {
    BANNED_CRATES.iter().any(|name| path.is_of_crate(name))
        || BANNED_PATHS.iter().any(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    #[test]
    fn clocks_runtimes_and_files_are_found_in_pure_files() {
        let path = "crates/mt-pool/src/window.rs";
        let line_3 = "crates/mt-pool/src/window.rs:3";
        for code in [
            "use std::{fmt, thread};",
            "use tokio::sync::mpsc;",
            "fn f() { let now = Instant::now(); }",
            "fn f(start: Instant) { start.elapsed(); }",
            "fn f() { std::env::var(\"A\"); }",
        ] {
            let text = format!("//! A window.\n//! Pure: no IO.\n{code}\n");
            check(&RULE, &[(path, &text)], &[line_3]);
            check(&RULE, &[(path, &text.replace("Pure", "Impure"))], &[]);
            let in_proto = [("crates/mt-proto/src/id.rs", code)];
            check(&RULE, &in_proto, &["crates/mt-proto/src/id.rs:1"]);
        }
    }

    #[test]
    fn time_as_a_parameter_and_tests_with_a_clock_are_fine() {
        let text = "//! Pure: no IO.\nuse std::time::Instant;\nfn f(now: Instant) {} // tokio\n\
                    #[cfg(test)]\nmod tests { fn g() { super::f(Instant::now()); } }\n";
        check(&RULE, &[("crates/mt-pool/src/dispatch.rs", text)], &[]);
    }

    #[test]
    fn the_deciders_must_carry_the_marker() {
        for path in [
            "crates/mt-pool/src/dispatch/retry.rs",
            "crates/mt-beehive/src/machine/bee.rs",
        ] {
            check(&RULE, &[(path, "//! Decides.\n")], &[&format!("{path}:1")]);
            check(
                &RULE,
                &[(path, "//! Decides.\n//!\n//! Pure: no IO.\n")],
                &[],
            );
        }
    }
}
