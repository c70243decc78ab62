//! Figures of systems without `/proc`, by `sysinfo`: the one file that names it.
//!
//! On Linux it is built for tests only, which hold its answers against those of `proc`.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::memory::Memory;

pub(super) fn machine_memory() -> Option<Memory> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let total = system.total_memory();
    Memory::new(total.saturating_sub(system.available_memory()), total)
}

/// The bytes of memory a process holds right now, shared ones included; `None` if there is no such
/// process, or it is dead.
pub(crate) fn rss_of(pid: u32) -> Option<u64> {
    let mut system = System::new().ok()?;
    let pid = Pid::from_u32(pid);
    let memory = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, memory);
    let bytes = system.process(pid)?.memory();
    (bytes > 0).then_some(bytes)
}

/// The part of the machine's processors that the load average of the last minute would keep busy,
/// 0 to 1.
pub(super) fn recent_load() -> Option<f64> {
    let load = System::load_average().ok()?.one;
    let cpus = std::thread::available_parallelism().ok()?.get();
    let cpus = u32::try_from(cpus).ok()?;
    Some((load / f64::from(cpus)).min(1.0))
}

#[cfg(not(target_os = "linux"))]
pub(super) use SystemMeter as CpuMeter;

pub(super) struct SystemMeter {
    system: Option<System>,
}

impl SystemMeter {
    pub(super) fn new() -> Self {
        let mut system = System::new().ok();
        if let Some(system) = &mut system {
            system.refresh_cpu_usage();
        }
        Self { system }
    }

    /// The part that was busy since the last look, 0 to 1; `None` where the system does not tell.
    pub(super) fn look(&mut self) -> Option<f64> {
        let system = self.system.as_mut()?;
        system.refresh_cpu_usage();
        let percent = f64::from(system.global_cpu_usage());
        let fraction = (percent / 100.0).clamp(0.0, 1.0);
        percent.is_finite().then_some(fraction)
    }
}

/// All that it holds: the system does not tell what of it is of files.
#[cfg(not(target_os = "linux"))]
pub(crate) use rss_of as own_memory_of;
#[cfg(not(target_os = "linux"))]
pub(crate) use rss_of as private_memory_of;

#[cfg(not(target_os = "linux"))]
pub(crate) fn kill_counter(_pid: u32) -> Option<super::kills::KillCounter> {
    None
}
