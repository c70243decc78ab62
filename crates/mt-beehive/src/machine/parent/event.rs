//! What happens to the parent's machine, and what it wants done.
//!
//! Pure: no IO, no clock, no runtime.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use mt_pool::supervision::{Death, DeathCause};
use mt_proto::{FromBee, TaskId, TaskStatus, ToBee};

use crate::error::{CancelReason, NoWorkers};

/// A child of a bee: 0, 1, 2 …, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BeeId(pub(crate) u32);

/// A task to be delegated.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) name: Cow<'static, str>,
    /// The arguments, encoded.
    pub(crate) args: Bytes,
    /// How long it may take, waiting included.
    pub(crate) limit: Option<Duration>,
}

/// Something happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A child said something.
    Said(BeeId, FromBee),
    /// A child's process is set up: the child says `ready` next.
    Made(BeeId),
    /// A child is gone: its process is reaped, or never was.
    Gone(BeeId, BeeEnd),
    /// A child is dying, of itself or because it is killed. Asked for by
    /// [`late_bees`](super::ParentMachine::late_bees).
    Dying(BeeId),
    /// A child gives no sign of life, and nobody ends it for that; or it does again.
    Silent(BeeId, bool),
    /// Nobody waits for the task any more: it is to stop.
    Drop(TaskId),
    /// One child more.
    SpawnBee,
    /// The child with this id, or the one with the least to do, is to go when it has finished.
    Bury(Option<BeeId>),
    /// The machine is full: how busy processors and memory are, once a period.
    Pressed(bool),
    /// What runs may end; nothing is to be begun any more.
    Interrupt,
    /// The same, and what runs is cancelled.
    InterruptAtOnce,
    /// There is nothing more to delegate.
    Die,
    /// The same, and nobody waits for what was delegated.
    Abandon,
    /// Time has passed.
    Tick,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct BeeEnd {
    pub(crate) death: Death,
    /// The number of tasks that were begun of those it was given, in that order.
    pub(crate) started: u64,
    /// Whether it was dying by itself before the parent ended it, if the parent did.
    pub(crate) died_first: bool,
    /// The reason if it did not get as far as to be made.
    pub(crate) unmade: Option<Box<NoWorkers>>,
}

/// Do this.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Start a child.
    Spawn(BeeId),
    /// Tell a child.
    Say(BeeId, ToBee),
    /// Kill a child with everything it has started, for this.
    Kill(BeeId, DeathCause),
    /// A task told how far it is.
    Progress(TaskId, Bytes),
    /// The task has ended; the child that did it, if one did.
    Resolve(TaskId, TaskOutcome, Option<BeeId>),
    /// All is resolved and every child is gone. The last effect.
    Finished,
}

/// How a task ended.
#[derive(Debug)]
pub(crate) enum TaskOutcome {
    /// As its bee told it: never cancelled.
    Told(TaskStatus),
    /// The task was cancelled.
    Cancelled(Box<CancelReason>),
}
