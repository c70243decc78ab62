//! Whether this machine has memory and processor time left. Reads figures; what to do about them is
//! for others.

mod cpu;
#[cfg(target_os = "linux")]
mod groups;
mod kills;
mod memory;
#[cfg(target_os = "linux")]
mod proc;
#[cfg(any(not(target_os = "linux"), test))]
mod system;

use memory::Memory;
#[cfg(target_os = "linux")]
use proc as figures;
#[cfg(not(target_os = "linux"))]
use system as figures;

pub(crate) use figures::rss_of;
#[cfg(target_os = "linux")]
pub(crate) use groups::kill_counter;
pub(crate) use kills::KillCounter;
#[cfg(not(target_os = "linux"))]
pub(crate) use system::kill_counter;

/// The bytes of memory that a worker process uses, as [`MemoryLimits`](crate::limits::MemoryLimits) counts them, with or
/// without what the processes below it have allocated.
pub(crate) fn memory_of(pid: u32, with_children: bool) -> Option<u64> {
    let own = figures::own_memory_of(pid)?;
    let below = match with_children {
        true => mt_ipc::descendants(pid),
        false => Vec::new(),
    };
    let below = below.into_iter().filter_map(figures::private_memory_of);
    Some(below.fold(own, u64::saturating_add))
}

/// The fraction from which on the seed says "too much".
const TOO_MUCH: f64 = 0.9;

/// Whether more than 90 % of the memory is used.
///
/// The machine's memory, and on Linux also that of every control group (v1 or v2) this process is in
/// and that has a limit: a container at 95 % of its limit has used too much, however much the machine
/// has left. Pages of files, however often they are read, and other caches of the kernel do not count as used:
/// they are given back when needed. Shared memory (`/dev/shm`, a tmpfs) and locked pages do. What the system does
/// not tell counts as unused.
///
/// Reads a few small files of the kernel, some 50 µs; never waits.
///
/// ```
/// if mt_pool::load::used_memory_too_much() {
///     eprintln!("starting fewer workers: memory is short");
/// }
/// ```
#[must_use]
pub fn used_memory_too_much() -> bool {
    used_memory_above(TOO_MUCH)
}

/// [`used_memory_too_much`] for a fraction of your own, 0 to 1.
///
/// ```
/// assert!(mt_pool::load::used_memory_above(0.0));
/// assert!(!mt_pool::load::used_memory_above(1.0));
/// ```
#[must_use]
pub fn used_memory_above(fraction: f64) -> bool {
    memory().is_some_and(|memory| memory.fraction() > fraction)
}

/// Whether more than 90 % of the machine's processor time is used.
///
/// A thread named `mt-load` looks twice a second and keeps the answer, so this never waits. It is
/// started by the first call and sleeps without waking up when nobody has asked for ten seconds. The
/// answers until it has looked twice (0.1 s) are made from the load average of the last minute.
///
/// The whole machine's time is meant, also in a container. What the system does not tell counts as
/// unused.
///
/// ```
/// if mt_pool::load::used_cpu_too_much() {
///     eprintln!("putting it off: the processors are busy");
/// }
/// ```
#[must_use]
pub fn used_cpu_too_much() -> bool {
    used_cpu_above(TOO_MUCH)
}

/// [`used_cpu_too_much`] for a fraction of your own, 0 to 1.
///
/// ```
/// assert!(!mt_pool::load::used_cpu_above(1.0));
/// ```
#[must_use]
pub fn used_cpu_above(fraction: f64) -> bool {
    cpu::used_fraction().is_some_and(|used| used > fraction)
}

/// The memory of this machine, or of the control group that is nearer to its limit; `None` where the
/// system does not tell.
pub(crate) fn memory() -> Option<Memory> {
    let all = figures::machine_memory().into_iter();
    #[cfg(target_os = "linux")]
    let all = all.chain(groups::of_this_process());
    all.max_by(|a, b| a.fraction().total_cmp(&b.fraction()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case M112: `used_memory_above` and `used_cpu_above` take any fraction, and none above 1 is exceeded.
    #[test]
    fn fractions_that_are_none_are_never_exceeded() {
        for fraction in [1.0, 2.0, f64::INFINITY, f64::NAN] {
            assert!(!used_memory_above(fraction), "{fraction}");
            assert!(!used_cpu_above(fraction), "{fraction}");
        }
        assert!(used_memory_above(-1.0));
    }

    #[test]
    fn this_machine_has_some() {
        let memory = memory().expect("the systems that tests run on tell");
        assert!(memory.used_bytes > 0 && memory.used_bytes <= memory.limit_bytes);
    }

    /// Two ways to ask the same system. They are some moments apart on a machine that does other
    /// things too, so near is enough.
    ///
    /// Case D32: The figures that are read from `/proc` are those of `sysinfo`.
    #[test]
    #[cfg(target_os = "linux")]
    fn both_sources_of_figures_agree() {
        let (ours, theirs) = (proc::machine_memory(), system::machine_memory());
        let (ours, theirs) = (ours.expect("on Linux"), theirs.expect("on Linux"));
        assert_eq!(ours.limit_bytes, theirs.limit_bytes);
        assert!((ours.fraction() - theirs.fraction()).abs() < 0.2);

        let pid = std::process::id();
        let (ours, theirs) = (proc::rss_of(pid), system::rss_of(pid));
        let (ours, theirs) = (ours.expect("it lives"), theirs.expect("it lives"));
        assert!(ours.abs_diff(theirs) < ours.max(theirs), "{ours} {theirs}");

        assert!(proc::recent_load().is_some_and(|load| load >= 0.0));
        assert!(system::recent_load().is_some_and(|load| load >= 0.0));

        let used = system::SystemMeter::new().look().expect("on Linux");
        assert!((0.0..=1.0).contains(&used), "{used}");
    }

    #[test]
    fn no_process_has_no_memory() {
        // Process ids end far below.
        assert_eq!(rss_of(u32::MAX - 1), None);
    }
}
