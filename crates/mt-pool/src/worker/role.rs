//! What a worker process can be.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use mt_ipc::{FrameReceiver, FrameSender, Progress, SendError};
use mt_proto::{Attachments, Frame, FromWorker, SetupFailure};
use tokio::sync::Notify;

use super::{
    lead::Lead,
    pause::Pause,
    turn::{Incoming, while_playing},
};

/// Why a link ends whose parent is gone.
pub(super) const HUNG_UP: &str = "the parent hung up";

/// Something a worker process can be: what it does is chosen by its parent's assignment, by name. Registered by
/// [`register_role!`](crate::register_role).
#[derive(Debug)]
pub struct Role {
    /// The name it is assigned by.
    pub name: &'static str,
    /// Takes over with the body of the assignment. The work is done on the main thread; the future moves
    /// messages on the link's, which runs no user code, and ends when all is said. It is called for every
    /// assignment, so several times in a process that several owners share.
    pub start: fn(Bytes, RoleLink) -> (RoleWork, RoleSession),
}

inventory::collect!(Role);

/// What the main thread does.
pub type RoleWork = Box<dyn FnOnce() -> Result<(), NotSetUp> + Send>;

/// What the link's thread does. The error says why it ended too soon; the process then ends.
pub type RoleSession = Pin<Box<dyn Future<Output = Result<RoleEnd, String>> + Send>>;

/// How a role's session ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum RoleEnd {
    /// All is done and handed to the link: the process takes its leave and exits.
    Done,
    /// All is done and handed to the link: the process waits for another assignment, because its parent has
    /// said [`Incoming::Rest`].
    Rested(RoleLink),
}

/// The work could not be begun; [`RoleLink::setup_failed`] has said why. The process's exit code tells.
#[derive(Debug)]
pub struct NotSetUp;

/// The role's end of the connection to the parent.
#[derive(Debug)]
pub struct RoleLink {
    /// Sends frames of the role. Bounded: see [`room_and`](Self::room_and).
    pub sender: FrameSender,
    /// What came beside the body of the assignment.
    pub attachments: Attachments,
    pub(super) receiver: FrameReceiver,
    /// How often the process beats, at least 1 ms.
    pub beat_interval: Duration,
    /// The memory shared with the parent. What it says of started and finished work, and of turns, goes with
    /// every heartbeat, and can be read by the parent also after this process's end.
    pub progress: Progress,
    /// Blocks the link while nothing has to be read.
    pub(crate) pause: Arc<Pause>,
    /// Has the main thread turn the link's runtime.
    pub(crate) lead: Arc<Lead>,
    /// Told at every beat of the parent.
    pub(crate) beaten: Arc<Notify>,
}

impl RoleLink {
    /// Waits for what comes from the parent next. Cancel-safe.
    ///
    /// # Errors
    /// Why nothing can come any more, for people.
    pub async fn recv(&mut self) -> Result<Incoming, String> {
        loop {
            match while_playing(self.next().await?)? {
                Some(incoming) => return Ok(incoming),
                None => self.beaten.notify_one(),
            }
        }
    }

    pub(super) async fn next(&mut self) -> Result<Frame, String> {
        let frame = self.receiver.recv().await;
        let frame = frame.map_err(|error| error.to_string())?;
        frame.ok_or_else(|| HUNG_UP.to_owned())
    }

    /// Says that all is set up for the assignment.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn ready(&self) -> Result<(), SendError> {
        self.sender.try_send(FromWorker::Ready.into_frame())
    }

    /// Says why nothing can be done. To be followed by the end.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn setup_failed(&self, failure: SetupFailure) -> Result<(), SendError> {
        let failed = FromWorker::SetupFailed(failure);
        self.sender.try_send(failed.into_frame())
    }

    /// Waits for room, and then for `what`: without room, what is to be sent stays where it is and grows
    /// together. Cancel-safe if `what` is.
    pub async fn room_and(&self, what: impl Future<Output = ()>) {
        crate::supervision::room_and(&self.sender, what).await;
    }
}

/// The role of this name, if this program has it.
pub(super) fn find(name: &str) -> Option<&'static Role> {
    let mut roles = inventory::iter::<Role>.into_iter();
    roles.find(|role| role.name == name)
}

/// Registers a [`Role`](crate::worker::Role) that worker processes of this program can be assigned to:
/// its name, and the function that starts it. At the top level of any module.
#[macro_export]
macro_rules! register_role {
    ($name:expr, $start:path) => {
        $crate::__private::inventory::submit! {
            $crate::worker::Role { name: $name, start: $start }
        }
    };
}
