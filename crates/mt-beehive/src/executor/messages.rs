//! What the two threads of a bee's process say to each other.

use mt_pool::worker::Panic;
use mt_proto::{TaskId, TaskInfo, TaskStatus};

/// What a bee is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// A task, with its place among all that the bee was given.
    Start(u64, TaskInfo),
    Cancel(TaskId),
    /// Let the bee's own bees die.
    Bury,
}

/// What becomes of it.
#[derive(Debug)]
pub(crate) enum Report {
    /// The bee is made, and may or may not have children.
    Ready { children: bool },
    /// No task waits for the thread any more, but for one that is begun next.
    CaughtUp,
    /// The bee's own bees are dying from now on.
    Burying,
    /// The bee's own bees are gone.
    ChildrenGone,
    /// The bee can't be made.
    NotReady(String),
    /// A task has panicked.
    Panicked(TaskId, Panic),
    /// A task has ended.
    Ended(TaskId, TaskStatus),
    /// There is something in the [`ProgressBuffer`](super::ProgressBuffer).
    Progress,
}
