//! How what was seen is shown.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

/// What a subcommand has seen.
pub trait Report: Serialize {
    /// What people read.
    fn text(&self) -> String;

    /// What programs read.
    ///
    /// # Errors
    /// When it does not serialise.
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Whether everything was as it must be.
    fn passed(&self) -> bool {
        true
    }
}

/// Prints a report, and gives what the program ends with.
///
/// # Errors
/// When it does not serialise, or standard output is closed.
pub fn show(report: &impl Report, json: bool) -> Result<ExitCode> {
    let text = if json { report.json()? } else { report.text() };
    writeln!(std::io::stdout(), "{}", text.trim_end())?;
    Ok(match report.passed() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Rows below a header.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    table.add_rows(rows);
    table.to_string()
}
