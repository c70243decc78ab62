//! Runs rows, ours and the limit by turns, and reports medians and ratios.
//!
//! Machines are shared and noisy, so no figure stands alone: every repetition runs the limit and ours
//! of every row right after each other, and what counts is the ratio of the two medians.

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::json;

use crate::{
    measure::{Sample, rounded},
    report::{Figures, Report, object, table},
    rows::{self, Row},
};

/// Measures rows of the comparison against their limits.
///
/// Ours and the limit it is held against run by turns, in one run, because machines are shared and only
/// ratios of one run mean something.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "cargo xtask bench compare [OPTIONS]",
    after_help = "Examples:
  cargo xtask bench compare                        all rows, as a table
  cargo xtask bench compare --only P1,P2 --json    these rows, one JSON object each"
)]
pub struct Plan {
    /// The rows, by id (P1, P2, …), with commas between; all of them without it
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    only: Vec<String>,

    /// How often each side is run; the medians count
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    reps: u32,
}

/// All samples, in the order they were taken.
#[derive(Debug, Default, Serialize)]
struct Samples {
    ours: Vec<f64>,
    limit: Vec<f64>,
    /// From start to end, process starts included, in seconds.
    ours_whole_s: Vec<f64>,
    limit_whole_s: Vec<f64>,
}

/// Runs each row so many times.
pub fn run(plan: &Plan) -> Result<Report> {
    let rows = chosen(&plan.only)?.into_iter();
    let mut rows: Vec<_> = rows.map(|row| (row, Samples::default())).collect();
    for rep in 1..=plan.reps {
        eprintln!("repetition {rep} of {} …", plan.reps);
        for (row, samples) in &mut rows {
            let Sample { value, whole } = (row.limit)()?;
            samples.limit.push(rounded(value));
            samples.limit_whole_s.push(rounded(whole.as_secs_f64()));
            let Sample { value, whole } = (row.ours)()?;
            samples.ours.push(rounded(value));
            samples.ours_whole_s.push(rounded(whole.as_secs_f64()));
        }
    }
    let mut titles = Vec::new();
    let mut all = Vec::new();
    for (row, samples) in &rows {
        titles.push(format!("{}: {}\n", row.id, row.title));
        all.push(figures(row, samples));
    }
    titles.dedup();
    let table = table(&all, &["title", "samples"]);
    let note = format!("Medians of {}, both sides by turns in one run.", plan.reps);
    Ok(Report {
        text: format!("{table}\n{note}\n{}", titles.concat()),
        json: all.iter().map(|row| object(row) + "\n").collect(),
        passed: true,
    })
}

/// What was measured of one row: the medians, and the ratio of them beside the one to reach.
fn figures(row: &Row, samples: &Samples) -> Figures {
    let (ours, limit) = (median(&samples.ours), median(&samples.limit));
    let ratio = rounded(ours / limit);
    vec![
        ("id", json!(row.id)),
        ("variant", json!(row.variant)),
        ("title", json!(row.title)),
        ("unit", json!(row.unit)),
        ("ours", json!(ours)),
        ("limit", json!(limit)),
        ("ratio", json!(ratio)),
        ("reach", json!(row.reach)),
        ("reached", json!(ratio >= row.reach)),
        ("samples", json!(samples)),
    ]
}

/// The rows with these ids, all of them for none.
fn chosen(ids: &[String]) -> Result<Vec<Row>> {
    let all = rows::all();
    let mut known: Vec<_> = all.iter().map(|row| row.id).collect();
    known.dedup();
    let is_known = |id: &String| known.iter().any(|known| known.eq_ignore_ascii_case(id));
    if let Some(unknown) = ids.iter().find(|id| !is_known(id)) {
        let known = known.join(", ");
        bail!("there is no row `{unknown}`; the rows are {known}");
    }
    let is_wanted =
        |id: &str| ids.is_empty() || ids.iter().any(|wanted| id.eq_ignore_ascii_case(wanted));
    Ok(all.into_iter().filter(|row| is_wanted(row.id)).collect())
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

#[cfg(test)]
mod tests {
    use super::{chosen, median};

    #[track_caller]
    fn check(ids: &[&str], expected: Result<usize, &str>) {
        let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
        let found = chosen(&ids)
            .map(|rows| rows.len())
            .map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn rows_are_chosen_by_id_and_unknown_ones_refused() {
        check(&["P1"], Ok(2));
        check(&["p2", "P1"], Ok(4));
        check(
            &["P1", "P77"],
            Err("there is no row `P77`; the rows are P1, P2, P3, P4, P5, P6, W1"),
        );
    }

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
