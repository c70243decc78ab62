//! What users would take in place of ours, with the same tasks in the same run.
//!
//! `yardsticks` run in this process, without any isolation. `programs` are small programs of ours, in `benches/peers`,
//! that each use a library the way its own documentation says is fastest.

mod install;
mod programs;
mod yardsticks;

use std::time::Duration;

use crate::{Effort, measure::Load, rows::Run};

pub(crate) use install::install;

/// One side more of a row.
pub struct Peer {
    /// The library, and what of it.
    pub name: &'static str,
    /// Runs it once: a value in the row's unit.
    pub run: Run,
}

/// Peers of a map of a task that does nothing, as million items a second. A batch of 1 is what libraries without batches
/// do too.
pub(crate) fn of_no_op(effort: Effort, load: Load, workers: usize, batch: u64) -> Vec<Peer> {
    let mut peers = yardsticks::of_no_op(load, workers);
    // Some thousand times slower than ours: as many items as they do in about half a second.
    let count = effort.count(if batch == 1 { 5_000 } else { 200_000 });
    let asked = programs::Asked::same(count, workers, batch);
    peers.extend(programs::all(&asked, batch == 1, count as f64 / 1e6));
    peers
}

/// Peers of tasks that keep a processor busy, as thousand tasks a second.
pub(crate) fn of_spin(count: u64, time: Duration, workers: usize) -> Vec<Peer> {
    let mut peers = yardsticks::of_spin(count, time, workers);
    // An interpreter can't keep the time of anything shorter.
    if time >= Duration::from_micros(10) {
        let asked = programs::Asked::spin(count, workers, time);
        peers.extend(programs::all(&asked, true, count as f64 / 1e3));
    }
    peers
}

/// Peers of a map that gives bodies back, as gigabytes a second each way.
pub(crate) fn of_bodies(effort: Effort, bytes: usize, workers: usize) -> Vec<Peer> {
    let count = effort.count(200);
    let asked = programs::Asked::bodies(count, workers, bytes);
    programs::all(&asked, true, count as f64 * bytes as f64 / 1e9)
}
