//! `cargo xtask ci`: all that has to pass before a change goes in, as one command.
//!
//! The same steps as `test` followed by `lint`; `.ci/run` and the hosted workflow call this program
//! and hold no checks of their own.

use anyhow::Result;

use crate::{lint, step, test};

/// Runs `test`, then `lint`, and prints how long each step took.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs everything.
///
/// # Errors
/// When at least one step failed; the message names them all.
pub(crate) fn run(_: &Args) -> Result<()> {
    let mut steps = test::default_steps();
    steps.extend(lint::steps());
    step::run_all(steps)
}
