//! Runs rows, ours and the limit by turns, and reports medians and ratios.
//!
//! Machines are shared and noisy, so no figure stands alone: every repetition runs the limit and ours
//! of every row right after each other, and what counts is the ratio of the two medians.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::json;

use crate::{
    Effort,
    measure::rounded,
    report::{Figures, Report, object, table},
    rows::{self, Missing, Reach, Row},
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

    /// How often each side is run; the medians count [default: 5]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    reps: Option<u32>,

    /// Do about a hundredth of the work, once: shows that all rows run, and nothing more
    #[arg(long)]
    quick: bool,
}

/// All samples, in the order they were taken.
#[derive(Debug, Default, Serialize)]
struct Samples {
    ours: Vec<f64>,
    limit: Vec<f64>,
    /// From start to end, process starts included, in seconds.
    ours_whole_s: Vec<f64>,
    limit_whole_s: Vec<f64>,
    /// What the machine must have for the row and has not.
    #[serde(skip)]
    missing: Option<String>,
}

/// Runs each row so many times.
pub fn run(plan: &Plan) -> Result<Report> {
    let effort = if plan.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    let reps = plan.reps.unwrap_or(effort.pick(5, 1));
    let rows = chosen(&plan.only, effort)?.into_iter();
    let mut rows: Vec<_> = rows.map(|row| (row, Samples::default())).collect();
    for rep in 1..=reps {
        eprintln!("repetition {rep} of {reps} …");
        for (row, samples) in &mut rows {
            if samples.missing.is_none() {
                let measured = samples.measure(row);
                measured.with_context(|| format!("{}, {}", row.id, row.variant))?;
            }
        }
    }
    let mut titles = Vec::new();
    let mut all = Vec::new();
    for (row, samples) in &rows {
        titles.push(format!("{}: {}\n", row.id, row.title));
        if let Some(missing) = &samples.missing {
            titles.push(format!(
                "    {} not measured, needs {missing}\n",
                row.variant
            ));
        }
        all.push(figures(row, samples));
    }
    titles.dedup();
    let table = table(&all, &["title", "better", "missing", "samples"]);
    let note = format!("Medians of {reps}, both sides by turns in one run.");
    Ok(Report {
        text: format!("{table}\n{note}\n{}", titles.concat()),
        json: all.iter().map(|row| object(row) + "\n").collect(),
        passed: true,
    })
}

impl Samples {
    /// Runs the limit and ours once each.
    fn measure(&mut self, row: &Row) -> Result<()> {
        let both = (row.limit)().and_then(|limit| Ok((limit, (row.ours)()?)));
        let (limit, ours) = match both {
            Ok(both) => both,
            Err(error) => {
                let missing = error.downcast::<Missing>()?;
                self.missing = Some(missing.to_string());
                return Ok(());
            }
        };
        self.limit.push(rounded(limit.value));
        self.limit_whole_s.push(rounded(limit.whole.as_secs_f64()));
        self.ours.push(rounded(ours.value));
        self.ours_whole_s.push(rounded(ours.whole.as_secs_f64()));
        Ok(())
    }
}

/// What was measured of one row: the medians, and the ratio of them beside the one to reach.
fn figures(row: &Row, samples: &Samples) -> Figures {
    let ours = median(&samples.ours);
    let limit = median(&samples.limit);
    let ratio = ours.zip(limit).map(|(ours, limit)| rounded(ours / limit));
    let better = match row.reach {
        Reach::AtMost(_) => "less",
        Reach::AtLeast(_) | Reach::Shown => "more",
    };
    vec![
        ("id", json!(row.id)),
        ("variant", json!(row.variant)),
        ("title", json!(row.title)),
        ("unit", json!(row.unit)),
        ("better", json!(better)),
        ("ours", json!(ours)),
        ("limit", json!(limit)),
        ("ratio", json!(ratio)),
        ("reach", json!(row.reach.to_string())),
        (
            "reached",
            json!(ratio.and_then(|ratio| row.reach.is_met(ratio))),
        ),
        ("missing", json!(samples.missing)),
        ("samples", json!(samples)),
    ]
}

/// The rows with these ids, all of them for none.
fn chosen(ids: &[String], effort: Effort) -> Result<Vec<Row>> {
    let all = rows::all(effort);
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

/// The middle one, or the mean of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(rounded(f64::midpoint(sorted[middle - 1], sorted[middle]))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Effort, chosen, median};

    #[track_caller]
    fn check(ids: &[&str], expected: Result<usize, &str>) {
        let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
        let found = chosen(&ids, Effort::Full)
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
            Err(
                "there is no row `P77`; the rows are P1, P1s, P2, P3, P4, P5, P6, P7, P7m, P7a, P8, P12, P9, P10, P11, W1",
            ),
        );
    }

    #[test]
    fn the_median_is_the_middle() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
            (&[4.0, 1.0, 2.0, 8.0], Some(3.0)),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }
}
