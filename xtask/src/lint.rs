//! `cargo xtask lint`: all that is checked without running the code.
//!
//! Formatting, clippy, the documentation's own warnings, what comes in from outside, then the architecture rules of `tidy`.

use crate::step::{self, Step};
use crate::{deny, tidy};

pub(crate) fn steps() -> Vec<Step> {
    let cargo = |name, words| Step::command(name, step::cargo(words));
    // With and without features: a link may lead to what only a feature has.
    let rustdoc = |name, words| {
        let mut rustdoc = step::cargo(words);
        rustdoc.env("RUSTDOCFLAGS", "-D warnings");
        Step::command(name, rustdoc)
    };
    vec![
        cargo("rustfmt", "fmt --all --check"),
        cargo("clippy", "clippy --workspace --all-targets -- -D warnings"),
        rustdoc("rustdoc", "doc --workspace --no-deps"),
        rustdoc(
            "rustdoc, all features",
            "doc --workspace --no-deps --all-features",
        ),
        Step::call("deny", deny::run),
        Step::call("tidy", || tidy::run(&tidy::Args::default())),
    ]
}
