//! What a worker bee's process is told, and by which names.

use bytes::Bytes;
use mt_proto::MAX_RECORD_BYTES;
use serde::{Deserialize, Serialize};

use crate::bee::WorkerBee;

/// The role of a worker bee.
pub(crate) const WORKER_BEE: &str = "mt_beehive::worker_bee";

/// The most bytes of a message with arguments or with an outcome: a frame with what else is in it stays within its
/// limit.
pub(crate) const MAX_MESSAGE_BYTES: usize = MAX_RECORD_BYTES - (1 << 20);

/// What a bee is called on the wire.
pub(crate) fn name_of<W: WorkerBee>() -> String {
    format!("{} ({})", W::NAME, std::any::type_name::<W>())
}

/// What a worker bee is told before its first task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BeeSetup {
    /// The bee's registered name.
    pub(crate) bee: String,
    /// The id that the bee's parent has given it.
    pub(crate) my_id: u32,
    /// What the bee is made of, encoded.
    pub(crate) init: Bytes,
    /// The most tasks at once; `None` is no limit.
    pub(crate) max_concurrency: Option<u32>,
}
