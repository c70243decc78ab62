//! The table at the end.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Table, presets};
use mt_pool::stats::Stats;

use crate::tally::{Counts, Tally};

/// The whole summary: a row for each kind, the largest first, then the run's own figures.
pub(crate) fn summary(tally: &Tally, stats: &Stats, elapsed: Duration) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["kind", "files", "bytes", "lines", "words"].map(right_but_first()));
    let mut kinds: Vec<_> = tally.by_kind.iter().collect();
    kinds.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.size_bytes));
    for (kind, counts) in kinds {
        table.add_row(row(kind, counts));
    }
    table.add_row(row("total", &tally.total));
    format!("{table}\n{}", figures(tally, stats, elapsed))
}

fn figures(tally: &Tally, stats: &Stats, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    let per_second = |amount: u64| amount as f64 / seconds.max(f64::MIN_POSITIVE);
    let mut text = format!(
        "errors: {}; workers: {} started, {} died; {seconds:.2} s, {:.0} files/s, {:.1} MB/s",
        grouped(tally.errors),
        stats.workers_started,
        stats.workers_died,
        per_second(tally.total.files),
        per_second(tally.total.size_bytes) / 1e6,
    );
    if stats.interrupted {
        let left = grouped(tally.left);
        text += &format!("\ninterrupted: files found and not started: {left}");
    }
    text
}

fn row(kind: &str, counts: &Counts) -> Vec<Cell> {
    let figures = [counts.files, counts.size_bytes, counts.lines, counts.words].map(grouped);
    std::iter::once(kind.to_owned())
        .chain(figures)
        .map(right_but_first())
        .collect()
}

fn right_but_first<T: ToString>() -> impl FnMut(T) -> Cell {
    let mut is_first = true;
    move |text| {
        let alignment = if std::mem::take(&mut is_first) {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        };
        Cell::new(text).set_alignment(alignment)
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
