//! What this process has after a run that it did not have before.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use mt_test_kit::{children, state_of};

/// How long threads may take to be gone from the system's lists after they were joined or let go.
const SETTLE: Duration = Duration::from_secs(1);

/// What a process owns.
#[derive(Debug)]
pub(super) struct Belongings {
    /// The children, and those of them that are zombies.
    processes: BTreeMap<&'static str, BTreeSet<u32>>,
    /// Of what else it has how many: `mappings` are pieces of shared memory.
    counts: BTreeMap<&'static str, usize>,
}

/// How much of each is there that was not there before.
pub(super) type LeftBehind = BTreeMap<&'static str, usize>;

impl Belongings {
    /// What this process owns now.
    pub(super) fn now() -> Result<Self> {
        let maps = fs::read_to_string("/proc/self/maps").context("failed to read the mappings")?;
        let mappings = maps.lines().filter(|line| line.contains("memfd:"));
        let children: BTreeSet<u32> = children().into_iter().collect();
        let zombies = children.iter().copied();
        let zombies = zombies.filter(|pid| state_of(*pid) == Some('Z'));
        let processes = [("zombies", zombies.collect()), ("processes", children)];
        let counts = [
            ("fds", entries("/proc/self/fd")?),
            ("threads", entries("/proc/self/task")?),
            ("mappings", mappings.count()),
        ];
        Ok(Self {
            processes: processes.into(),
            counts: counts.into(),
        })
    }

    /// What there is now beyond these, once threads that are on their way out have had the time.
    pub(super) fn left_behind(&self) -> Result<LeftBehind> {
        let until = Instant::now() + SETTLE;
        loop {
            let left = Self::now()?.beyond(self);
            if left.values().all(|count| *count == 0) || Instant::now() > until {
                return Ok(left);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn beyond(&self, before: &Self) -> LeftBehind {
        let processes = self.processes.iter();
        let processes =
            processes.map(|(kind, now)| (*kind, now.difference(&before.processes[kind]).count()));
        let counts = self.counts.iter();
        let counts = counts.map(|(kind, now)| (*kind, now.saturating_sub(before.counts[kind])));
        processes.chain(counts).collect()
    }
}

/// How many names a folder has.
fn entries(folder: &str) -> Result<usize> {
    let read = fs::read_dir(folder).with_context(|| format!("failed to read {folder}"))?;
    Ok(read.flatten().count())
}
