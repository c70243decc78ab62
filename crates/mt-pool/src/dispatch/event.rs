//! What the dispatch machine is told, and what it asks for.
//!
//! Pure: no IO, no clock, no runtime.

use std::{sync::Arc, time::Duration};

use mt_proto::{DecodeError, Segment, WorkerId};

use super::{Delivery, look::Look, running_clock::Late};
use crate::supervision::{Death, WorkerFailure};

/// Something happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// Items to work on, in the order of their indices.
    Input(Segment),
    /// Items that failed before they could be sent, in the same order.
    Refused(Delivery),
    /// There will be no more input.
    InputEnded,
    /// A worker is no new process: it has run items for somebody else.
    Used(WorkerId),
    /// A worker is set up.
    Ready(WorkerId),
    /// A worker sent results.
    Results(WorkerId, Segment),
    /// A worker could not be started, or is gone: its process is reaped.
    Gone(WorkerId, Gone),
    /// The consumer has room again, or has none.
    Paused(bool),
    /// A look at how far a worker is.
    Look(WorkerId, Look),
    /// The resident bytes of the workers, and whether the machine has hardly any memory left.
    Weighed(Vec<(WorkerId, u64)>, bool),
    /// So much time has passed that nobody could use, the machine being elsewhere.
    Late(Duration),
    /// Stop giving out items; let those that run finish.
    Drain,
    /// End at once, killing what runs; every item gets an outcome all the same.
    Cancel,
    /// End at once, killing what runs. The rest is nobody's any more.
    Stop,
    /// Time has passed. Workers should be looked at just before.
    Tick,
}

/// How a worker left.
#[derive(Debug)]
pub(crate) struct Gone {
    /// The items it had started, counted in the order they were sent.
    pub(crate) started: u64,
    /// The cause, for the outcome of the items it ran.
    pub(crate) death: Death,
    /// Set when it left before it could take items: what to tell if this goes on.
    pub(crate) before_ready: Option<Arc<WorkerFailure>>,
}

/// Do this.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Start a worker under this name.
    Spawn(WorkerId),
    /// Send these items, which may wait so long to be started.
    Send(WorkerId, Segment, Option<Duration>),
    /// Tell the worker to finish and go.
    Retire(WorkerId),
    /// The same, for one that is as good as ever: somebody else may have use for it.
    Release(WorkerId),
    /// Kill the worker with everything it has started.
    Kill(WorkerId, KillReason),
    /// WorkerSlot this to the consumer.
    Deliver(Delivery),
    /// All is delivered and every worker is gone. The last effect.
    Finished,
}

/// Why a worker is killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KillReason {
    /// It sent results that are not due.
    Results(DecodeError),
    /// The run is over for its caller.
    Stopped,
    /// It did not go in time after it was told to.
    Lingered,
    /// These of its items are past their deadline.
    Overran(Late),
    /// It uses more resident bytes than it may.
    Memory { rss: u64, limit: u64 },
    /// Others need its memory.
    Displaced,
}

impl KillReason {
    /// Whether what it still finishes counts.
    pub(crate) fn is_believed(&self) -> bool {
        !matches!(self, Self::Results(_) | Self::Stopped)
    }

    /// Whether its end says nothing about the next worker's. One that is too large without having run
    /// anything says that the next will be.
    pub(crate) fn is_excused(&self) -> bool {
        !matches!(self, Self::Results(_) | Self::Memory { .. })
    }
}
