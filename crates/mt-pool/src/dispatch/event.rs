//! What the dispatch machine is told, and what it asks for.
//!
//! Pure: no IO, no clock, no runtime.

use std::{sync::Arc, time::Duration};

use mt_proto::{ItemIndex, PreparedId, Segment, WorkerId};

use super::{
    Delivery, call_line::Terms, memory::MemoryShortage, prepared::Prepared, running_clock::Look,
};
use crate::supervision::{DeathCause, ProcessRecord, WorkerEnd};

#[derive(Debug)]
pub(crate) enum Event {
    /// Items to work on, in the order of their indices.
    Input(Segment),
    /// Calls that came together, each with what holds for it.
    Calls(Vec<(Segment, Terms)>),
    /// Items that failed before they could be sent, in the same order.
    Refused(Delivery),
    /// Nobody waits for the outcome of an item any more.
    Withdraw(ItemIndex),
    /// There will be no more input.
    InputEnded,
    /// A worker is no new process: it has run items for somebody else, and has been through this.
    Used(WorkerId, ProcessRecord),
    /// A worker is set up.
    Ready(WorkerId),
    /// A worker sent results.
    Results(WorkerId, Segment),
    /// A worker could not be started, or is gone: its process is reaped.
    Gone(WorkerId, WorkerEnd),
    /// The consumer has room again, or has none.
    Paused(bool),
    /// Another run of the pool has no worker and waits for one, or no longer does.
    Wanted(bool),
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

#[derive(Debug)]
pub(crate) enum Effect {
    /// Start a worker under this name.
    Spawn(WorkerId),
    /// Send these items, which may wait so long to be started.
    Send(WorkerId, Segment, Option<Duration>),
    /// The worker is not to begin this call, or to drop it, if it can: nobody waits for it any more.
    Withdraw(WorkerId, ItemIndex),
    /// Tell the worker what calls that it is sent next may be of.
    Prepare(WorkerId, Arc<Prepared>),
    /// The worker is sent no more calls of this, unless it is told of it again.
    Forget(WorkerId, PreparedId),
    /// Of the items it has, the worker is to start none from this one on; all of them without one.
    Gate(WorkerId, Option<ItemIndex>),
    /// Tell the worker to finish and go.
    Retire(WorkerId),
    /// The same, for one that is as good as ever: somebody else may have use for it.
    Release(WorkerId),
    /// Kill the worker with everything it has started.
    Kill(WorkerId, DeathCause),
    /// Give this to the consumer.
    Deliver(Delivery),
    /// Memory is short from now on, or no longer.
    Shortage(Option<MemoryShortage>),
    /// All is delivered and every worker is gone. The last effect.
    Finished,
}

/// How many items make it worth waking the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WakeAt {
    /// When there was none.
    pub(crate) first: u64,
    /// When others have just come.
    pub(crate) next: u64,
}

impl WakeAt {
    pub(crate) const EACH: Self = Self { first: 1, next: 1 };
}
