//! What the two threads of a bee's process have for each other.

use std::{sync::Arc, time::Duration};

use mt_ipc::Progress;
use tokio::sync::mpsc;

use super::{
    messages::{Order, Report},
    progress_buffer::ProgressBuffer,
};

/// The end of the thread that does the tasks.
pub(crate) struct TaskEnd {
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) reports: mpsc::Sender<Report>,
    /// Where tasks tell how far they are.
    pub(crate) progress: Arc<ProgressBuffer>,
    /// Where it tells how far it is, and that it goes on at all.
    pub(crate) counts: Progress,
    /// How often it does that when nothing else happens.
    pub(crate) beat_interval: Duration,
}

/// The end of the thread that talks.
pub(super) struct TalkEnd {
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) reported: mpsc::Receiver<Report>,
    pub(super) progress: Arc<ProgressBuffer>,
}
