//! Messages of bees as debugging events.

use std::fmt;

pub use mt_pool::worker::forward_event;

/// Logs a message between bees by [`tracing::debug!`]. Costs nothing unless that is enabled.
pub fn logger_debug_msg(msg: &impl fmt::Debug, who: &str) {
    tracing::debug!(target: "mt_beehive", ?msg, "{who}");
}
