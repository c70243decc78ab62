//! Reference programs and benches: what the machine can do, and what ours does of it.
//!
//! * [`compare`]: runs rows, both sides by turns, and reports medians and ratios.
//! * [`rows`]: what there is to compare, one file for each kind. A row knows how to run ours once and
//!   the limit it is held against once.
//! * [`peers`]: what else a user could take for some of the rows, measured beside ours.
//! * [`echo`]: the limit of most rows: two processes and a socket, nothing else.
//! * [`chaos`]: a run whose workers are killed at random, and a count of what became of every item.
//! * [`memory`]: a long run whose memory is looked at.
//! * [`deadlines`]: calls that never end, and how late they are gone.
//! * [`orphans`]: queens that are killed, and how long anything below them lives on.
//!
//! The program `mt-bench` has a subcommand for each; `cargo xtask` builds and runs it.

#[cfg(target_os = "linux")]
pub mod chaos;
pub mod compare;
mod cpu;
pub mod deadlines;
pub mod echo;
mod effort;
pub mod measure;
pub mod memory;
pub mod orphans;
pub mod peers;
mod platform;
mod proc;
pub mod processes;
mod report;
pub mod rows;
pub mod tasks;

pub use effort::Effort;
pub use platform::wakeups;
pub use report::Report;
