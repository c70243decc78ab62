//! Rule: what decides does not act. Pure files reach for no runtime, clock, thread, file or socket.

use super::{Findings, NamedPath, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "pure",
    demands: "files of mt-proto and files whose `//!` doc has a line `Pure: …` name no tokio, \
              clock, thread, fs, net, process, env or random source; dispatch* and \
              supervision/liveness* of mt-pool and machine/* of mt-beehive carry that line",
    check,
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

fn check(tree: &Tree, found: &mut Findings) {
    for file in tree.rust.iter().filter(|file| !file.is_test()) {
        let is_marked = file.has_marker(MARKER);
        if !is_marked && DECIDERS.iter().any(|prefix| file.path.starts_with(prefix)) {
            let message =
                "decisions are pure: say `//! Pure: no IO, no clock, no runtime.` and do so";
            found.add(&file.path, 1, message);
        }
        if is_marked || file.path.starts_with("crates/mt-proto/src/") {
            let paths = file.paths().into_iter().filter(is_banned);
            // `Instant::elapsed` asks the clock too.
            let elapsed = file.find([".", "elapsed", "(", ")"]);
            let places = paths.map(|path| path.start).chain(elapsed);
            found.add_tokens(
                file,
                places.filter(|&at| !file.tokens[at].in_test),
                "a pure file asks for a time or a value, or has an effect: take the one as a \
                 parameter, give the other out as a value",
            );
        }
    }
}

fn is_banned(path: &NamedPath) -> bool {
    BANNED_CRATES.contains(&&*path.segments[0])
        || BANNED_PATHS.iter().any(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn clocks_runtimes_and_files_are_found_in_pure_files() {
        for code in [
            "use std::{fmt, thread};",
            "use tokio::sync::mpsc;",
            "fn f() { let now = Instant::now(); }",
            "fn f(start: Instant) { start.elapsed(); }",
            "fn f() { std::env::var(\"A\"); }",
        ] {
            let found = format!("//! Pure: no IO.\n{code} ~~");
            RULE.check(&[("crates/mt-pool/src/window.rs", &found)]);
            RULE.check(&[("crates/mt-proto/src/id.rs", &format!("{code} ~~"))]);
            let fine = format!("//! Impure: IO.\n{code}");
            RULE.check(&[("crates/mt-pool/src/window.rs", &fine)]);
        }
    }

    #[test]
    fn time_as_a_parameter_and_tests_with_a_clock_are_fine() {
        let text = "//! Pure: no IO.\nuse std::time::Instant;\nfn f(now: Instant) {} // tokio\n\
                    #[cfg(test)]\nmod tests { fn g() { super::f(Instant::now()); } }\n";
        RULE.check(&[("crates/mt-pool/src/dispatch.rs", text)]);
    }

    #[test]
    fn the_deciders_must_carry_the_marker() {
        for path in [
            "crates/mt-pool/src/dispatch/retry.rs",
            "crates/mt-beehive/src/machine/bee.rs",
        ] {
            RULE.check(&[(path, "//! Decides. ~~")]);
            RULE.check(&[(path, "//! Decides.\n//!\n//! Pure: no IO.")]);
        }
    }
}
