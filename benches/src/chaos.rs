//! A run whose workers are killed at random, and what became of every item.
//!
//! * `plan`: what to do, and when kills are due; from a seed.
//! * `targets`: the live workers as the run's events tell, and what was done to them.
//! * `killer`: the thread that kills.
//! * `gate`: the input; it holds the run back until kills that belong to its place have landed.
//! * `fault`: the ways to die; `job`: what workers do, and their note of what they do to themselves.
//! * `victim`: a process to send signals to.
//! * `hive`: the same with a queen and her bees.
//! * `calls`: the same with single calls.
//! * `ledger`: one bit an item.
//! * `names`: whether deaths are told as what they were.
//! * `left_behind`: what this process has after the run that it did not have before.
//! * `workplace`: where workers are, and what is left there.
//! * `verdict`: all of it in figures.

mod calls;
mod fault;
mod gate;
mod hive;
mod job;
mod killer;
mod ledger;
mod left_behind;
mod names;
mod plan;
mod run;
mod targets;
mod verdict;
mod victim;
mod workplace;

pub use plan::Plan;
pub use run::run;
