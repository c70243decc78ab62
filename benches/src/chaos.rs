//! A run whose workers are killed at random, and what became of every item.
//!
//! * `plan`: what to do, and when kills are due; from a seed.
//! * `targets`: the live workers as the run's events tell, and what was done to them.
//! * `killer`: the thread that kills.
//! * `gate`: the input; it holds the run back until kills that belong to its place have landed.
//! * `ledger`: one bit an item.
//! * `left_behind`: what this process has after the run that it did not have before.
//! * `verdict`: all of it in figures.

mod gate;
mod killer;
mod ledger;
mod left_behind;
mod plan;
mod run;
mod targets;
mod verdict;

pub use plan::Plan;
pub use run::run;
