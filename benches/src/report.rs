//! How what was seen is shown.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;
use serde_json::Value;

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

/// These fields of each row, below their names.
pub(crate) fn table(rows: &[impl Serialize], fields: &[&str]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(fields);
    for row in rows {
        // What does not serialise is an error of `json`.
        let row = serde_json::to_value(row).unwrap_or_default();
        table.add_row(fields.iter().map(|field| cell(&row[*field])));
    }
    table.to_string()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            format!("{:.2}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}
