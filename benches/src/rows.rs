//! The rows of the comparison: a workload, ours and the limit it is held against.
//!
//! To add a row: a file with a type that implements [`Row`], a `mod` line, and its variants in
//! [`all`].

mod delegates;
mod p1;
mod p2;
mod p3;
mod p4;
mod p6;
mod plain_map;
mod w1;

use anyhow::Result;
use mt_beehive::Dispatch;

use crate::measure::Sample;

/// One workload in one variant.
pub trait Row {
    /// `P1`, `P2`, …: as the project's table of performance goals numbers it; `W1`: works.
    fn id(&self) -> &'static str;

    /// Which of several ways to do it; `-` when there is one.
    fn variant(&self) -> &'static str;

    /// The workload and its limit, in a few words.
    fn title(&self) -> &'static str;

    /// What the values of samples are. More is better.
    fn unit(&self) -> &'static str;

    /// The share of the limit that ours should reach.
    fn reach(&self) -> f64;

    /// Runs ours once.
    ///
    /// # Errors
    /// When it does not run to its end or does not do what it should.
    fn ours(&self) -> Result<Sample>;

    /// Runs the limit once.
    ///
    /// # Errors
    /// As [`ours`](Self::ours).
    fn limit(&self) -> Result<Sample>;
}

/// All rows, in the order of the table.
#[must_use]
pub fn all() -> Vec<Box<dyn Row>> {
    vec![
        Box::new(p1::P1 { ordered: true }),
        Box::new(p1::P1 { ordered: false }),
        Box::new(p2::P2 { ordered: true }),
        Box::new(p2::P2 { ordered: false }),
        Box::new(p3::P3 {
            dispatch: Dispatch::Auction,
        }),
        Box::new(p3::P3 {
            dispatch: Dispatch::Credit,
        }),
        Box::new(p4::P4 {
            dispatch: Dispatch::Auction,
        }),
        Box::new(p4::P4 {
            dispatch: Dispatch::Credit,
        }),
        Box::new(p6::P6),
        Box::new(w1::W1::Default),
        Box::new(w1::W1::Buffer64),
        Box::new(w1::W1::First),
    ]
}
