//! What this process has after a run that it did not have before.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::proc;

/// How long threads may take to be gone from the system's lists after they were joined or let go.
const SETTLE: Duration = Duration::from_secs(1);

/// What a process owns.
#[derive(Debug, Default)]
pub(super) struct Belongings {
    children: BTreeSet<u32>,
    zombies: BTreeSet<u32>,
    fds: usize,
    threads: usize,
    mappings: usize,
}

/// What is there that was not there before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct LeftBehind {
    processes: usize,
    zombies: usize,
    fds: usize,
    threads: usize,
    /// Pieces of shared memory.
    mappings: usize,
}

impl Belongings {
    /// What this process owns now.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub(super) fn now() -> Result<Self> {
        let fds = proc::entries("/proc/self/fd")?.len();
        let threads = proc::entries("/proc/self/task")?.len();
        let children = BTreeSet::from_iter(proc::children(std::process::id()));
        let zombies = children
            .iter()
            .filter(|pid| proc::state(**pid) == Some('Z'));
        let maps = fs::read_to_string("/proc/self/maps").context("failed to read the mappings")?;
        Ok(Self {
            zombies: zombies.copied().collect(),
            children,
            fds,
            threads,
            mappings: maps.lines().filter(|line| line.contains("memfd:")).count(),
        })
    }

    /// What there is now beyond these, once threads that are on their way out have had the time.
    ///
    /// # Errors
    /// As [`now`](Self::now).
    pub(super) fn left_behind(&self) -> Result<LeftBehind> {
        let until = Instant::now() + SETTLE;
        loop {
            let left = Self::now()?.beyond(self);
            if left.is_nothing() || Instant::now() > until {
                return Ok(left);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn beyond(&self, before: &Self) -> LeftBehind {
        LeftBehind {
            processes: self.children.difference(&before.children).count(),
            zombies: self.zombies.difference(&before.zombies).count(),
            fds: self.fds.saturating_sub(before.fds),
            threads: self.threads.saturating_sub(before.threads),
            mappings: self.mappings.saturating_sub(before.mappings),
        }
    }
}

impl LeftBehind {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for LeftBehind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} processes, {} zombies, {} descriptors, {} threads, {} mappings",
            self.processes, self.zombies, self.fds, self.threads, self.mappings
        )
    }
}
