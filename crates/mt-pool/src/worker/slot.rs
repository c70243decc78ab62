//! The slot of this worker process.

use std::sync::OnceLock;

static SLOT: OnceLock<u32> = OnceLock::new();

/// The slot of the worker process this is called in: a small number that no other worker of the same
/// [`Pool`](crate::Pool), or else of the same run or hive, has at the same time. `None` in a process that is no worker,
/// where works in serial mode and queens are, too.
///
/// Slots count from 0. A worker gets the smallest that is free and keeps it as long as its process lives, over all runs
/// of a pool, and one that replaces a dead worker gets the dead one's. So with `n` processes they are 0 to `n` − 1,
/// and a device, a port or a processor can be told by them. Where a worker that is
/// [recycled](crate::limits::Recycle), or a bee that is buried, works on until its successor is ready, both live at once and the successor
/// has another slot, which may be `n` or more: divide by the number of devices and take the rest. In a pool that is not
/// so: its `processes` count both.
///
/// The worker finds it as the environment variable `MT_WORKER_SLOT` too, and so do programs that it starts. Other variables can be
/// made of it by [`env_by_slot`](crate::limits::WorkerOptions::env_by_slot).
///
/// ```
/// use mt_pool::{asyn_pmap, worker_slot};
///
/// #[mt_pool::task]
/// fn port(_: u32) -> Option<u32> {
///     Some(5000 + worker_slot()?)
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let run = asyn_pmap::<port>(0..10).processes(2).start()?;
///     for port in run {
///         assert!(matches!(port?, Some(5000 | 5001)));
///     }
///     assert_eq!(worker_slot(), None);
///     Ok(())
/// }
/// ```
#[must_use]
pub fn worker_slot() -> Option<u32> {
    SLOT.get().copied()
}

/// Takes note of the slot that the parent has told. The first counts.
pub(super) fn keep(slot: Option<u32>) {
    if let Some(slot) = slot {
        let _ = SLOT.set(slot);
    }
}
