//! `cargo xtask lint`: all that is checked without running the code.
//!
//! Formatting, clippy, the documentation's own warnings, then the architecture rules of `tidy`.

use crate::step::{self, Step};
use crate::tidy;

pub(crate) fn steps() -> Vec<Step> {
    let cargo = |name, words| Step::command(name, step::cargo(words));
    let mut rustdoc = step::cargo("doc --workspace --no-deps --all-features");
    rustdoc.env("RUSTDOCFLAGS", "-D warnings");
    vec![
        cargo("rustfmt", "fmt --all --check"),
        cargo("clippy", "clippy --workspace --all-targets -- -D warnings"),
        Step::command("rustdoc", rustdoc),
        Step::call("tidy", || tidy::run(&tidy::Args::default())),
    ]
}
