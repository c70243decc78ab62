//! What was done and how long it took.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::tally::Tally;

/// One way to do it.
pub(crate) struct Row {
    how: &'static str,
    at_once: usize,
    tally: Tally,
    took: Duration,
}

impl Row {
    pub(crate) fn new(how: &'static str, at_once: usize, tally: Tally, took: Duration) -> Self {
        Self {
            how,
            at_once,
            tally,
            took,
        }
    }

    /// The seconds that so many requests take at this pace.
    fn seconds_for(&self, requests: u64) -> f64 {
        self.took.as_secs_f64() * requests as f64 / self.tally.done().max(1) as f64
    }
}

/// All rows, each against the first. Where not all requests were made, the time for all is computed.
pub(crate) fn table(rows: &[Row], requests: u64) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "",
        "at once",
        "requests",
        "pages",
        "bytes",
        "not there",
        "errors",
        "seconds",
        "for all",
        "times as fast",
    ]);
    let reference = rows.first().map_or(0.0, |row| row.seconds_for(requests));
    for row in rows {
        let tally = &row.tally;
        let for_all = row.seconds_for(requests);
        let figures = [
            row.at_once.to_string(),
            tally.done().to_string(),
            tally.pages.to_string(),
            tally.bytes.to_string(),
            tally.not_there.to_string(),
            tally.errors.to_string(),
            format!("{:.2}", row.took.as_secs_f64()),
            format!("{for_all:.2}"),
            format!("{:.0}", reference / for_all.max(f64::MIN_POSITIVE)),
        ];
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let cells = std::iter::once(Cell::new(row.how)).chain(figures.map(right));
        table.add_row(cells);
    }
    table
}
