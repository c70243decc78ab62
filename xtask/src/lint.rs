//! `cargo xtask lint`: all that is checked without running the code.
//!
//! Formatting, clippy, the documentation's own warnings, then the architecture rules of `tidy`.

use anyhow::Result;

use crate::step::{self, Step};
use crate::tidy;

/// Checks formatting, clippy, the documentation and the architecture rules.
///
/// Every step runs, also after one has failed. Needs the rustfmt and clippy components.
#[derive(clap::Args)]
#[command(after_help = "Steps:
  rustfmt  cargo fmt --all --check
  clippy   cargo clippy --workspace --all-targets -- -D warnings
  rustdoc  cargo doc --workspace --no-deps, with RUSTDOCFLAGS=\"-D warnings\"
  tidy     cargo xtask tidy")]
pub(crate) struct Args {}

/// Runs the lints.
///
/// # Errors
/// When at least one of them complains.
pub(crate) fn run(_: &Args) -> Result<()> {
    step::run_all(steps())
}

/// The steps, for `ci`.
pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::cargo("rustfmt", ["fmt", "--all", "--check"]),
        Step::cargo(
            "clippy",
            [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ),
        Step::cargo("rustdoc", ["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
        Step::call("tidy", || tidy::run(&tidy::Args::default())),
    ]
}
