//! Figures of rows, as a table and as JSON.

use std::io::Write;

use anyhow::Result;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

use crate::{measure::Sample, rows::Row};

/// What was measured of one row.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    id: &'static str,
    variant: &'static str,
    title: &'static str,
    unit: &'static str,
    /// The median of ours.
    ours: f64,
    /// The median of the limit.
    limit: f64,
    ratio: f64,
    /// The ratio it should reach.
    reach: f64,
    reached: bool,
    samples: Samples,
}

/// All samples, in the order they were taken.
#[derive(Debug, Clone, Serialize)]
struct Samples {
    ours: Vec<f64>,
    limit: Vec<f64>,
    /// From start to end, process starts included, in seconds.
    ours_whole_s: Vec<f64>,
    limit_whole_s: Vec<f64>,
}

impl Figures {
    pub(super) fn of(row: &dyn Row, ours: &[Sample], limit: &[Sample]) -> Self {
        let values = |samples: &[Sample]| samples.iter().map(|s| rounded(s.value)).collect();
        let wholes = |samples: &[Sample]| {
            let seconds = samples.iter().map(|s| rounded(s.whole.as_secs_f64()));
            seconds.collect()
        };
        let samples = Samples {
            ours: values(ours),
            limit: values(limit),
            ours_whole_s: wholes(ours),
            limit_whole_s: wholes(limit),
        };
        let (ours, limit) = (median(&samples.ours), median(&samples.limit));
        let ratio = rounded(ours / limit);
        Self {
            id: row.id(),
            variant: row.variant(),
            title: row.title(),
            unit: row.unit(),
            ours,
            limit,
            ratio,
            reach: row.reach(),
            reached: ratio >= row.reach(),
            samples,
        }
    }
}

/// The middle one, or the mean of the two in the middle; 0 of none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[middle],
        _ => rounded(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Prints one JSON object a row, one a line.
///
/// # Errors
/// When standard output is closed.
pub fn print_json(figures: &[Figures]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for row in figures {
        serde_json::to_writer(&mut out, row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Prints a table.
///
/// # Errors
/// When standard output is closed.
pub fn print_table(figures: &[Figures], reps: u32) -> Result<()> {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "row", "variant", "ours", "limit", "unit", "ratio", "reach", "",
    ]);
    for row in figures {
        table.add_row([
            row.id.to_owned(),
            row.variant.to_owned(),
            format!("{:.2}", row.ours),
            format!("{:.2}", row.limit),
            row.unit.to_owned(),
            format!("{:.2}", row.ratio),
            format!("≥ {:.2}", row.reach),
            if row.reached { "reached" } else { "missed" }.to_owned(),
        ]);
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{table}\nMedians of {reps}, both sides by turns in one run."
    )?;
    let mut titles: Vec<_> = figures.iter().map(|row| (row.id, row.title)).collect();
    titles.dedup();
    for (id, title) in titles {
        writeln!(out, "{id}: {title}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        for (values, expected) in [
            (&[][..], 0.0),
            (&[3.0], 3.0),
            (&[9.0, 1.0, 2.0], 2.0),
            (&[4.0, 1.0, 2.0, 8.0], 3.0),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }
}
