//! Runs rows, ours and the limit by turns, and reports medians and ratios.
//!
//! Machines are shared and noisy, so no figure stands alone: every repetition runs the limit and ours
//! of every row right after each other, and what counts is the ratio of the two medians.

mod report;

use anyhow::{Result, bail};

use crate::{
    measure::Sample,
    rows::{self, Row},
};

pub use report::{Figures, print_json, print_table};

/// The rows with these ids, all of them for none.
///
/// # Errors
/// When an id is not known; the message lists those that are.
pub fn choose(ids: &[String]) -> Result<Vec<Box<dyn Row>>> {
    let all = rows::all();
    let known = known_ids(&all);
    let is_known = |id: &String| known.iter().any(|known| known.eq_ignore_ascii_case(id));
    if let Some(unknown) = ids.iter().find(|id| !is_known(id)) {
        bail!(
            "there is no row `{unknown}`; the rows are {}",
            known.join(", ")
        );
    }
    let wanted =
        |row: &dyn Row| ids.is_empty() || ids.iter().any(|id| row.id().eq_ignore_ascii_case(id));
    Ok(all.into_iter().filter(|row| wanted(row.as_ref())).collect())
}

fn known_ids(rows: &[Box<dyn Row>]) -> Vec<&'static str> {
    let mut ids: Vec<_> = rows.iter().map(|row| row.id()).collect();
    ids.dedup();
    ids
}

/// Runs each row `reps` times. `progress` hears which repetition begins.
///
/// # Errors
/// When a run fails; the figures so far are of no use then.
pub fn measure(rows: &[Box<dyn Row>], reps: u32, progress: impl Fn(u32)) -> Result<Vec<Figures>> {
    let mut samples: Vec<(Vec<Sample>, Vec<Sample>)> = vec![Default::default(); rows.len()];
    for rep in 0..reps {
        progress(rep);
        for (row, (ours, limit)) in rows.iter().zip(&mut samples) {
            limit.push(row.limit()?);
            ours.push(row.ours()?);
        }
    }
    let figures = rows.iter().zip(samples);
    Ok(figures
        .map(|(row, (ours, limit))| Figures::of(row.as_ref(), &ours, &limit))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[track_caller]
    fn check(ids: &[&str], expected: Result<usize, &str>) {
        let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
        let found = choose(&ids)
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
            Err("there is no row `P77`; the rows are P1, P2, P3, P4, P6, W1"),
        );
    }
}
