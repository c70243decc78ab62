//! What an owner hears of a worker.

use std::{sync::Arc, time::Duration};

use mt_ipc::{Exit, FrameSender, Progress};
use mt_proto::{CapturedStdout, Frame, TraceEvents};

use super::{
    death::{Death, DeathCause},
    liveness::Health,
    process_record::ProcessRecord,
    worker_failure::WorkerFailure,
};

/// Something happened to a worker. Events of one worker come in the order in which it happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The process exists.
    Started {
        /// The process's id.
        pid: u32,
    },
    /// The process has said nothing yet, and may still: see [`start_limit`](super::SpawnSpec::start_limit). Told after
    /// 2 s, 4 s, 8 s …
    Slow {
        /// For how long.
        waited: Duration,
    },
    /// A process that had waited for work has taken the assignment.
    Reused {
        /// The process's id.
        pid: u32,
        /// What it has been through so far.
        record: ProcessRecord,
    },
    /// The worker has said hello and was sent its assignment.
    Greeted {
        /// Sends to it: frames of its role.
        sender: FrameSender,
        /// The memory it shares with this process.
        progress: Progress,
    },
    /// The worker is set up for its assignment.
    Ready,
    /// A message of its role, not decoded.
    Frame(Frame),
    /// `tracing` events of it.
    Trace {
        /// The events, oldest first.
        events: TraceEvents,
        /// How many more there were, for which there was no room.
        dropped: u64,
    },
    /// What was found when its signs of life were judged. Told when it is not well, every time that is found, and
    /// when it is well again.
    Health(Health),
    /// The worker waits for another owner. Nothing follows.
    Released,
    /// The process is reaped, or never was. Nothing follows.
    Ended(WorkerEnd),
}

/// How a worker ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct WorkerEnd {
    /// The count of started items, or whatever its role counts, in the memory it shared.
    pub started: u64,
    /// The count of finished items, or whatever its role counts, there.
    pub finished: u64,
    /// What it has written to its standard output, where that is captured, and the number that its role has given to what
    /// it was at.
    pub captured: Option<(u64, CapturedStdout)>,
    /// How its process ended, and why.
    pub death: Death,
    /// Whether it had said that it goes.
    pub said_bye: bool,
    /// Whether it was dying by itself before its owner ended it, if the owner did.
    pub died_first: bool,
    /// Set when it did not get as far as being set up.
    pub failure: Option<Arc<WorkerFailure>>,
}

impl WorkerEnd {
    /// The end of a worker that is stopped before anything has come of it.
    pub(crate) fn stopped(failure: Option<WorkerFailure>) -> Self {
        Self {
            started: 0,
            finished: 0,
            captured: None,
            death: Death::new(Exit::default(), DeathCause::Stopped),
            said_bye: false,
            died_first: false,
            failure: failure.map(Arc::new),
        }
    }
}
