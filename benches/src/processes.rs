//! Processes of this program that it starts itself, each told by its only argument what it is for.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Ends at once.
pub(crate) const NOTHING: &str = "nothing";
/// Echoes frames of items.
pub(crate) const RAW_ECHO: &str = "raw-echo-child";
/// Sends back all bytes.
pub(crate) const BULK_ECHO: &str = "bulk-echo-child";
/// Sends back single bytes.
pub(crate) const ROUND_TRIP: &str = "round-trip-child";
/// Does a run that is counted.
pub(crate) const COUNTED: &str = "counted-run";
/// Has bees that have bees.
pub(crate) const QUEEN: &str = "queen-to-be-killed";

/// Does what this process was started for, if it was by another one of this program.
pub fn run_child() -> Option<Result<()>> {
    match std::env::args_os().nth(1)?.to_str()? {
        NOTHING => Some(Ok(())),
        RAW_ECHO => Some(crate::echo::run_raw_child()),
        BULK_ECHO => Some(crate::echo::run_bulk_child()),
        ROUND_TRIP => Some(crate::echo::run_trip_child()),
        COUNTED => Some(crate::rows::run_counted()),
        QUEEN => Some(crate::orphans::reign()),
        _ => None,
    }
}

/// Starts this program for something.
pub(crate) fn start(purpose: &str, input: impl Into<Stdio>) -> Result<Child> {
    let program = std::env::current_exe().context("failed to find this program's file")?;
    let child = Command::new(program).arg(purpose).stdin(input).spawn();
    child.with_context(|| format!("failed to start a process for {purpose}"))
}

/// Waits until a child ends well.
pub(crate) fn end(mut child: Child) -> Result<()> {
    let status = child.wait().context("failed to wait for a process")?;
    ensure!(status.success(), "a process of ours ended with {status}");
    Ok(())
}
