//! The rows of the comparison: a workload, ours and the limit it is held against.
//!
//! To add a row: one more [`Row`] in the file of its kind, or a file with a function that gives it, a
//! `mod` line and a line in [`all`].

mod bodies;
mod delegates;
mod maps;
mod runs;
mod works;

use anyhow::Result;

use crate::measure::Sample;

/// One workload in one variant.
pub struct Row {
    /// `P1`, `P2`, …: as the project's table of performance goals numbers it; `W1`: works.
    pub id: &'static str,
    /// Which of several ways to do it.
    pub variant: &'static str,
    /// The workload and its limit, in a few words.
    pub title: String,
    /// What the values of samples are. More is better.
    pub unit: &'static str,
    /// The share of the limit that ours should reach.
    pub reach: f64,
    /// Runs ours once. An error when it does not run to its end or does not do what it should.
    pub ours: Run,
    /// Runs the limit once, with the same errors.
    pub limit: Run,
}

/// One side of a row.
pub type Run = Box<dyn Fn() -> Result<Sample>>;

/// All rows, in the order of the table.
#[must_use]
pub fn all() -> Vec<Row> {
    let kinds = [
        maps::rows(),
        delegates::rows(),
        bodies::rows(),
        runs::rows(),
        works::rows(),
    ];
    kinds.into_iter().flatten().collect()
}
