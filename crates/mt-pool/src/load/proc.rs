//! Figures of Linux, from `/proc`: the kernel's own words, without the cost of a general library.

use std::{
    fs::{self, File},
    io::Read,
};

use rustix::param::page_size;

use super::memory::Memory;

/// The memory of the machine. What is available to programs without swapping counts as unused.
pub(super) fn machine_memory() -> Option<Memory> {
    parse_meminfo(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse_meminfo(text: &str) -> Option<Memory> {
    let bytes = |name| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    let total = bytes("MemTotal:")?;
    let available = bytes("MemAvailable:")?;
    Memory::new(total.saturating_sub(available), total)
}

/// The bytes of memory a process holds right now, shared ones included; `None` if there is no such
/// process, or it is dead. One small read, some microseconds.
pub(crate) fn rss_of(pid: u32) -> Option<u64> {
    // Seven numbers; the longest can't fill this.
    let mut text = [0; 256];
    let mut file = File::open(format!("/proc/{pid}/statm")).ok()?;
    let length = file.read(&mut text).ok()?;
    let pages = parse_statm(&text[..length])?;
    // A zombie holds none.
    (pages > 0).then(|| pages.saturating_mul(page_size() as u64))
}

/// The bytes of memory that are a process's own right now: what it has allocated, and memory it shares without a file
/// (`/dev/shm`, a tmpfs). Pages of files that it has mapped, its program among them, are not: the kernel drops them when
/// it needs them. `None` if there is no such process, or it is dead.
pub(crate) fn own_memory_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let [anonymous, shared] = parse_own(&text)?;
    Some(anonymous.saturating_add(shared))
}

/// The bytes that a process has allocated and shares with nobody, but for what it has since a fork.
pub(crate) fn private_memory_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    parse_own(&text).map(|[anonymous, _]| anonymous)
}

/// The resident bytes without a file: allocated, shared. Kernels before 4.5 tell only the sum with those of files.
fn parse_own(text: &str) -> Option<[u64; 2]> {
    let bytes = |name| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    match (bytes("RssAnon:"), bytes("RssShmem:")) {
        (Some(anonymous), Some(shared)) => Some([anonymous, shared]),
        _ => Some([bytes("VmRSS:")?, 0]),
    }
}

/// The second number: resident pages.
fn parse_statm(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The part of the machine's processors that the load average of the last minute would keep busy,
/// 0 to 1.
pub(super) fn recent_load() -> Option<f64> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = load.split_ascii_whitespace().next()?.parse().ok()?;
    let cpus = Ticks::parse(&fs::read_to_string("/proc/stat").ok()?)?.cpus;
    Some((load / f64::from(cpus)).min(1.0))
}

/// Measures the machine's use of its processors between two looks.
#[derive(Debug)]
pub(super) struct CpuMeter {
    last: Option<Ticks>,
}

impl CpuMeter {
    pub(super) fn new() -> Self {
        Self { last: Ticks::now() }
    }

    /// The part that was busy since the last look, 0 to 1; `None` if no time has passed that the
    /// kernel counts, or it does not tell.
    pub(super) fn look(&mut self) -> Option<f64> {
        let now = Ticks::now()?;
        let used = now.used_since(self.last.as_ref()?);
        if used.is_some() {
            self.last = Some(now);
        }
        used
    }
}

/// The time of all processors since the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    busy: u64,
    idle: u64,
    cpus: u32,
}

impl Ticks {
    fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let total = lines.next()?.strip_prefix("cpu ")?;
        // user nice system idle iowait irq softirq steal; guest time is in user and nice already.
        let times = total.split_ascii_whitespace().take(8).map(str::parse);
        let times: Vec<u64> = times.collect::<Result<_, _>>().ok()?;
        let idle = times.get(3)? + times.get(4).unwrap_or(&0);
        let cpus = lines.take_while(|line| line.starts_with("cpu")).count();
        Some(Self {
            busy: times.iter().sum::<u64>() - idle,
            idle,
            cpus: u32::try_from(cpus.max(1)).ok()?,
        })
    }

    /// The kernel's count of waiting time may go back a little, and everything starts anew when a
    /// virtual machine is moved.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the ticks of some seconds are few"
    )]
    fn used_since(&self, before: &Self) -> Option<f64> {
        let busy = self.busy.saturating_sub(before.busy);
        let idle = self.idle.saturating_sub(before.idle);
        (busy + idle > 0).then(|| busy as f64 / (busy + idle) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_can_be_had_is_not_used() {
        let text = "MemTotal:       1000 kB\nMemFree:   10 kB\nMemAvailable:    600 kB\n";
        assert_eq!(parse_meminfo(text), Memory::new(400 * 1024, 1000 * 1024));
        for broken in [
            "",
            "MemTotal: 1000 kB",
            "MemTotal: x kB\nMemAvailable: 1 kB",
        ] {
            assert_eq!(parse_meminfo(broken), None, "{broken}");
        }
    }

    #[test]
    fn resident_pages_are_the_second_number() {
        assert_eq!(parse_statm(b"900 120 80 3 0 40 0\n"), Some(120));
        assert_eq!(parse_statm(b"900"), None);
        assert_eq!(parse_statm(b"\xff"), None);
    }

    #[test]
    fn pages_of_files_are_not_a_process_s_own() {
        let text = "Name:\tx\nVmRSS:\t     900 kB\nRssAnon:\t     100 kB\nRssFile:\t     780 kB\nRssShmem:\t      20 kB\n";
        assert_eq!(parse_own(text), Some([100 * 1024, 20 * 1024]));
        assert_eq!(
            parse_own("Name:\tx\nVmRSS:\t 900 kB\n"),
            Some([900 * 1024, 0])
        );
        assert_eq!(parse_own("Name:\tzombie\nState:\tZ\n"), None);
    }

    const STAT: &str = "cpu  100 10 40 800 50 0 0 0 70 0\ncpu0 1 1\ncpu1 1 1\nintr 5 5\n";

    #[test]
    fn waiting_is_idle_and_guests_count_once() {
        let ticks = Ticks::parse(STAT).expect("as the kernel writes it");
        let expected = Ticks {
            busy: 150,
            idle: 850,
            cpus: 2,
        };
        assert_eq!(ticks, expected);
        for broken in ["", "cpu 1 2\n", "cpu  1 x 2 3\n"] {
            assert_eq!(Ticks::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn use_is_of_the_time_between_two_looks() {
        let at = |busy, idle| Ticks {
            busy,
            idle,
            cpus: 1,
        };
        assert_eq!(at(130, 110).used_since(&at(100, 100)), Some(0.75));
        assert_eq!(at(100, 100).used_since(&at(100, 100)), None);
        assert_eq!(at(110, 90).used_since(&at(100, 100)), Some(1.0));
        assert_eq!(at(1, 1).used_since(&at(100, 100)), None);
    }

    #[test]
    fn a_meter_looks_again_until_time_has_passed() {
        let mut meter = CpuMeter::new();
        let used = loop {
            if let Some(used) = meter.look() {
                break used;
            }
            std::thread::yield_now();
        };
        assert!((0.0..=1.0).contains(&used), "{used}");
    }

    #[test]
    fn memory_that_is_touched_is_held() {
        let pid = std::process::id();
        let before = rss_of(pid).expect("it lives");
        let block = vec![1_u8; 64 << 20];
        let after = rss_of(pid).expect("it lives");
        // Other tests run beside this one and let go of theirs.
        assert!(after > before + (32 << 20), "{before} {after}");
        drop(std::hint::black_box(block));
    }
}
