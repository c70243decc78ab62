//! The rows of the comparison: a workload, ours and the limit it is held against.
//!
//! To add a row: one more [`Row`] in the file of its kind, or a file with a function that gives it, a
//! `mod` line and a line in [`all`].

mod bodies;
mod calls;
mod counts;
mod delegates;
mod fairness;
mod maps;
mod memory;
mod pooled;
mod runs;
mod shared;
mod sleeps;
mod tables;
mod tasks;
mod watched;
mod works;

use std::fmt;

use anyhow::Result;

use crate::{Effort, measure::Sample, peers::Peer};

pub(crate) use counts::run_child as run_counted;

/// One workload in one variant.
pub struct Row {
    /// `P1`, `P2`, …: as the project's table of performance goals numbers it; `W1`: works.
    pub id: &'static str,
    /// Which of several ways to do it.
    pub variant: String,
    /// The workload and its limit, in a few words.
    pub title: String,
    /// What the values of samples are.
    pub unit: &'static str,
    /// What ours should be of the limit.
    pub reach: Reach,
    /// Runs ours once. An error when it does not run to its end or does not do what it should.
    pub ours: Run,
    /// Runs the limit once, with the same errors.
    pub limit: Run,
    /// What else does the same work.
    pub peers: Vec<Peer>,
}

/// One side of a row. What can't be measured on this machine is the error [`Missing`].
pub type Run = Box<dyn Fn() -> Result<Sample>>;

/// A share of the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// Ours should be at least this share of it: more is better.
    AtLeast(f64),
    /// Ours should be at most this share of it: less is better.
    AtMost(f64),
    /// None is asked for: the row is there to be seen. More is better.
    Shown,
}

impl Reach {
    /// Whether a ratio is as it should be; `None` if nothing is asked for.
    #[must_use]
    pub fn is_met(self, ratio: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(ratio >= least),
            Self::AtMost(most) => Some(ratio <= most),
            Self::Shown => None,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least:.2}"),
            Self::AtMost(most) => write!(f, "≤ {most:.2}"),
            Self::Shown => f.write_str("–"),
        }
    }
}

/// What is not on this machine, and how to get it.
#[derive(Debug)]
pub struct Missing(pub String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// All rows, in the order of the table.
#[must_use]
pub fn all(effort: Effort) -> Vec<Row> {
    let kinds = [
        maps::rows(effort),
        delegates::rows(effort),
        calls::rows(effort),
        fairness::rows(effort),
        bodies::rows(effort),
        shared::rows(effort),
        tables::rows(effort),
        runs::rows(effort),
        tasks::rows(effort),
        sleeps::rows(effort),
        memory::rows(effort),
        watched::rows(effort),
        counts::rows(effort),
        works::rows(effort),
    ];
    kinds.into_iter().flatten().collect()
}

/// A side that is the same whatever the machine does.
fn constant(value: f64) -> Run {
    Box::new(move || Ok(Sample::of(value)))
}
