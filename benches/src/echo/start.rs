//! The start of a process that does nothing.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::child::EXIT_ARGUMENT;

/// Starts this program, whose `main` ends at once, and waits for its exit.
///
/// # Errors
/// When it does not start, or does not end well.
pub fn bare_start() -> Result<()> {
    let program = std::env::current_exe().context("failed to find this program's file")?;
    let mut command = Command::new(program);
    command.arg(EXIT_ARGUMENT).stdin(Stdio::null());
    let status = command.status().context("failed to start a process")?;
    ensure!(
        status.success(),
        "a process that does nothing ended with {status}"
    );
    Ok(())
}
