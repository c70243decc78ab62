//! Where this system's figures come from.

#[cfg(target_os = "linux")]
pub(super) use super::proc::{CpuMeter, machine_memory, oom_kills, recent_load, rss_of};
#[cfg(not(target_os = "linux"))]
pub(super) use super::system::{CpuMeter, machine_memory, oom_kills, recent_load, rss_of};
