//! What else a worker process can be: the way in for `mt-beehive`.
//!
//! A worker whose parent sends it a bee's setup in place of a pool's is handed over, with its connection, to
//! whoever has registered for that.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use mt_ipc::{FrameReceiver, FrameSender, Progress};

/// Something a worker process can be.
#[derive(Debug)]
pub struct Role {
    /// Takes over with what the parent has sent. The work is done on the main thread; the future moves
    /// messages on the link's, which runs no user code, and ends when all is said.
    pub start: fn(Bytes, RoleLink) -> (RoleWork, RoleTalk),
}

inventory::collect!(Role);

/// The worker's end of its connection.
#[derive(Debug)]
pub struct RoleLink {
    /// What is said.
    pub sender: FrameSender,
    /// What is heard.
    pub receiver: FrameReceiver,
    /// How often to beat.
    pub beat_interval: Duration,
    /// What the parent can read also after its end.
    pub progress: Progress,
}

/// What the main thread does.
pub type RoleWork = Box<dyn FnOnce() + Send>;
/// What the link's thread does. The error says why it ended too soon.
pub type RoleTalk = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Who has registered, if anybody has.
pub(crate) fn registered() -> Option<&'static Role> {
    inventory::iter::<Role>.into_iter().next()
}
