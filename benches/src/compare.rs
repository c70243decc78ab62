//! Runs rows, ours and the limit by turns, and reports medians and ratios.
//!
//! Machines are shared and noisy, so no figure stands alone: every repetition runs the limit and ours
//! of every row right after each other, and what counts is the ratio of the two medians.

mod measured;
mod page;
mod plot;
mod text;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use measured::{Measured, Samples};

use crate::{
    Effort, peers,
    report::Report,
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
  cargo xtask bench compare --only P1,P2 --json    these rows, one JSON object each
  cargo xtask bench compare --install              gets the peers that are programs of their own
  cargo xtask bench compare --write                all rows and peers, into docs/benchmarks.md"
)]
pub struct Plan {
    /// The rows, by id (P1, P2, …), with commas between; all of them without it
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    only: Vec<String>,

    /// How often each side is run; the medians count [default: 5]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    reps: Option<u32>,

    /// Measure no peers: neither other libraries nor yardsticks
    #[arg(long)]
    alone: bool,

    /// Install the peers that are programs of their own, below target, and measure nothing
    #[arg(long, exclusive = true)]
    install: bool,

    /// Write the tables of docs/benchmarks.md anew, and its plots
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = page::DOCS, value_name = "DOCS")]
    write: Option<PathBuf>,

    /// Do about a hundredth of the work, once: shows that all rows run, and nothing more
    #[arg(long)]
    quick: bool,
}

/// Runs each row so many times.
pub fn run(plan: &Plan) -> Result<Report> {
    if plan.install {
        return peers::install();
    }
    let effort = match plan.quick {
        true => Effort::Quick,
        false => Effort::Full,
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
            if !plan.alone {
                samples.measure_peers(row);
            }
        }
    }
    let all: Vec<Measured> = rows
        .iter()
        .map(|(row, samples)| samples.measured(row))
        .collect();
    if let Some(folder) = &plan.write {
        page::write(folder, &all, reps)?;
    }
    let json = all.iter().map(serde_json::to_string);
    let json: Vec<String> = json.collect::<Result<_, _>>()?;
    Ok(Report {
        text: text::text(&all, reps),
        json: json.join("\n"),
        passed: true,
    })
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

#[cfg(test)]
mod tests {
    use super::{Effort, chosen};

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
        check(&["p2", "P1"], Ok(5));
        check(
            &["P1", "P77"],
            Err(
                "there is no row `P77`; the rows are P1, P2, P1s, P3, P4, P3c, P5, P5s, P6, P7, P7m, P7a, P8, P12, P9, P10, P11, W1",
            ),
        );
    }
}
