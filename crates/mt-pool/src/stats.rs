//! What a run has done so far: counts, what its workers spend their time on, the slowest items, the
//! rate. And what a pool's calls have come to, and how long they took.

mod call_recorder;
mod call_stats;
mod cell;
mod histogram;
mod ledger;
mod rate;

use std::{fmt, time::Duration};

pub(crate) use call_recorder::{CallRecorder, InWorkers, MadeCall};
pub use call_stats::{CallOutcome, CallOutcomes, CallStats};
pub(crate) use cell::StatsCell;
pub use histogram::Histogram;
pub(crate) use ledger::Happened;
pub use rate::RunProgress;

use crate::events::MemoryShortage;
pub use crate::supervision::Deaths;

/// What a run has done so far. The counts are consistent at the moment they were taken; what is read
/// off the workers themselves (items started, memory, slowest items) is of about the same moment.
///
/// A snapshot costs some microseconds for every worker that lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Values yielded.
    pub succeeded: u64,
    /// Errors yielded, of every kind.
    pub failed: u64,
    /// Errors among them that are [`Cancelled`](crate::TaskErrorKind::Cancelled).
    pub cancelled: u64,
    /// Items pulled from the input, those that could not be sent included.
    pub pulled: u64,
    /// Whether the input has been pulled to its end. False at the end of a run means that the run
    /// gave up or was interrupted, and items were left that nobody asked for.
    pub input_ended: bool,
    /// Items pulled from the input whose outcome was not yielded yet, and those about to be pulled: a
    /// place is taken before. Never more than [`capacity`](crate::AsynPmap::capacity).
    pub outstanding: u64,
    /// Worker processes that another run had left behind; see [`Pool`](crate::Pool).
    pub workers_reused: u64,
    /// Worker processes started.
    pub workers_started: u64,
    /// Worker processes that died instead of leaving when told to.
    pub workers_died: u64,
    /// What those died of.
    pub deaths: Deaths,
    /// `tracing` events of workers that nobody has seen, because there were too many at once.
    pub events_dropped: u64,
    /// Contexts that failed to close.
    pub context_close_errors: u64,
    /// Whose memory is short just now, so that items run one at a time.
    pub memory_short: Option<MemoryShortage>,
    /// How often memory has become short.
    pub memory_shortages: u64,
    /// Whether the run was interrupted by Ctrl-C or `SIGTERM`.
    pub interrupted: bool,
    /// The workers: first those that are gone, at most the last [`GONE_WORKERS`](Self::GONE_WORKERS) of
    /// them in the order they went, then those that live, by number.
    pub workers: Vec<WorkerStats>,
    /// The items whose calls took longest, the slowest first, at most
    /// [`SLOWEST`](Self::SLOWEST).
    pub slowest: Vec<SlowItem>,
}

impl Stats {
    /// The most workers that are gone in [`workers`](Self::workers): 256.
    pub const GONE_WORKERS: usize = 256;
    /// The most items in [`slowest`](Self::slowest): 8.
    pub const SLOWEST: usize = mt_ipc::Progress::SLOWEST;
}

/// A worker of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkerStats {
    /// The worker's number: 0, 1, 2 … in the order of the starts.
    pub worker: u32,
    /// The process id, once there is one. When the process is gone, the number may mean another one.
    pub pid: Option<u32>,
    /// What it does.
    pub state: WorkerState,
    /// The items it was given.
    pub items_given: u64,
    /// The items it has started, as it says itself.
    pub items_started: u64,
    /// The items whose results it has sent.
    pub items_finished: u64,
    /// The memory its process holds, in bytes, where the system tells and it lives.
    pub rss_bytes: Option<u64>,
    /// What it has spent its time on. In sum that is its life.
    pub times: WorkerTimes,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WorkerState {
    /// The process is being started, and has not said hello.
    #[default]
    Starting,
    /// Being set up: the user's init runs.
    SettingUp,
    /// Ready, with nothing to do.
    Waiting,
    /// Ready, with items.
    Working,
    /// Told to go, or being killed.
    Leaving,
    /// The process is reaped, or was left to other runs.
    Gone,
}

/// What a worker has spent its time on, as the parent sees it: an item counts from when it is sent until its
/// result is here, so a worker of very short items works a little more and waits a little less than it
/// seems from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkerTimes {
    /// From the decision to start it until its hello, or until a process that waited in a
    /// [`Pool`](crate::Pool) took it over.
    pub start: Duration,
    /// Being set up, the user's init included.
    pub init: Duration,
    /// Ready, without an item.
    pub wait: Duration,
    /// With at least one item.
    pub work: Duration,
    /// From being told to go, or killed, until it was gone.
    pub exit: Duration,
}

impl WorkerTimes {
    /// The whole life.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.start + self.init + self.wait + self.work + self.exit
    }
}

/// An item whose call took long.
///
/// Times are measured in the worker, from the call to its return. Calls that take more than some 15 µs
/// are measured exactly. A slow call among quicker ones is, with at most about a millisecond too much.
/// The quick ones among them are not measured: the clock would cost more than they do. An item that was
/// run more than once has the longest of its times. Calls that have not returned are not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlowItem {
    /// The item's position in the input.
    pub item: u64,
    /// How long its call took.
    pub time: Duration,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} succeeded, {} failed; {} workers started, {} died",
            self.succeeded, self.failed, self.workers_started, self.workers_died
        )?;
        if self.memory_short.is_some() {
            f.write_str("; memory is short, one item at a time")?;
        }
        f.write_str(if self.interrupted {
            "; interrupted"
        } else {
            ""
        })
    }
}
