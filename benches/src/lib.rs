//! Reference programs and benches: what the machine can do, and what ours does of it.
//!
//! * [`rows`]: the rows of the comparison, one file each. A row knows how to run ours once and the
//!   limit it is held against once.
//! * [`compare`]: runs rows, both sides by turns, and reports medians and ratios.
//! * [`echo`]: the limit of most rows: two processes and a socket, nothing else.
//! * [`chaos`]: a run whose workers are killed at random, and a count of what became of every item.
//!
//! * [`memory`]: a long run whose memory is looked at.
//! * [`deadlines`]: calls that never end, and how late they are gone.
//! * [`orphans`]: queens that are killed, and how long anything below them lives on.
//!
//! The programs in `src/bin` are thin; `cargo xtask bench` and `cargo xtask chaos` build and run
//! them.

#[cfg(target_os = "linux")]
pub mod chaos;
#[cfg(unix)]
pub mod compare;
#[cfg(target_os = "linux")]
pub mod deadlines;
#[cfg(unix)]
pub mod echo;
pub mod measure;
#[cfg(target_os = "linux")]
pub mod memory;
#[cfg(target_os = "linux")]
pub mod orphans;
#[cfg(unix)]
pub mod rows;
pub mod tasks;

use std::{fmt, process::ExitCode};

/// Prints a report, as text or as one JSON object.
///
/// # Errors
/// It does not serialise.
pub fn show(report: &(impl fmt::Display + serde::Serialize), json: bool) -> anyhow::Result<()> {
    let text = if json {
        serde_json::to_string(report)?
    } else {
        report.to_string()
    };
    println!("{}", text.trim_end());
    Ok(())
}

/// What a program ends with that has looked whether a run passes.
#[must_use]
pub fn verdict(passed: bool) -> ExitCode {
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a program of ours ends with: an error is told in one line, without the backtrace that
/// returning it from `main` would add.
pub fn end(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
