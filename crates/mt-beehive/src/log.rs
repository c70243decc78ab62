//! Messages of bees as debugging events.

use std::fmt;

use mt_proto::guarded;

pub use mt_pool::worker::forward_event;

/// Logs a message between bees by [`tracing::debug!`]. Costs nothing unless that is enabled.
pub fn logger_debug_msg(msg: &impl fmt::Debug, who: &str) {
    // The subscriber is user code, and who logs is the hive's driver or a bee's link.
    let _ = guarded(|| tracing::debug!(target: "mt_beehive", ?msg, "{who}"));
}
