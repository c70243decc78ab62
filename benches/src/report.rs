//! How what was seen is shown: figures with names, for people and as JSON.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;

/// Figures with their names, in the order in which they are shown.
pub(crate) type Figures = Vec<(&'static str, Value)>;

/// What a subcommand has seen.
#[derive(Debug)]
pub struct Report {
    /// What people read.
    pub text: String,
    /// What programs read: JSON objects, each on a line of its own.
    pub json: String,
    /// Whether everything was as it must be.
    pub passed: bool,
}

impl Report {
    /// A report of these figures.
    pub(crate) fn of(figures: &Figures) -> Self {
        let lines = figures
            .iter()
            .map(|(name, value)| format!("{name:<14} {}\n", cell(value)));
        Self {
            text: lines.collect(),
            json: object(figures),
            passed: true,
        }
    }

    /// The same with a row for each of what has this name.
    pub(crate) fn with_rows(mut self, name: &str, rows: &[Figures]) -> Self {
        self.text.push_str(&table(rows, &[]));
        let rows: Vec<String> = rows.iter().map(object).collect();
        let rest = self.json.trim_end_matches('}');
        self.json = format!("{rest},{name:?}:[{}]}}", rows.join(","));
        self
    }

    /// The same of something that must be as it is.
    pub(crate) fn with_verdict(mut self, passed: bool) -> Self {
        let verdict = if passed { "passed" } else { "FAILED" };
        self.text = format!("{}\nverdict        {verdict}", self.text.trim_end());
        self.passed = passed;
        self
    }

    /// Prints the report, and gives what the program ends with.
    pub fn show(&self, as_json: bool) -> Result<ExitCode> {
        let text = if as_json { &self.json } else { &self.text };
        writeln!(std::io::stdout(), "{}", text.trim_end())?;
        Ok(ExitCode::from(u8::from(!self.passed)))
    }
}

/// A JSON object.
pub(crate) fn object(figures: &Figures) -> String {
    let members = figures
        .iter()
        .map(|(name, value)| format!("{name:?}:{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// The figures of each row below their names, without those that are hidden.
pub(crate) fn table(rows: &[Figures], hidden: &[&str]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    for row in rows {
        let shown = || row.iter().filter(|(name, _)| !hidden.contains(name));
        table.set_header(shown().map(|(name, _)| name));
        table.add_row(shown().map(|(_, value)| cell(value)));
    }
    table.to_string()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let value = number.as_f64().unwrap_or_default();
            // Two places of something smaller would say nothing of it.
            let places = if value.abs() < 0.1 { 4 } else { 2 };
            format!("{value:.places$}")
        }
        Value::Array(all) => all.iter().map(cell).collect::<Vec<_>>().join("; "),
        Value::Object(all) => {
            let all = all
                .iter()
                .map(|(name, value)| format!("{} {name}", cell(value)));
            all.collect::<Vec<_>>().join(", ")
        }
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}
