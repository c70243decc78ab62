//! What this process has after a run that it did not have before.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Serialize;

/// How long threads may take to be gone from the system's lists after they were joined or let go.
const SETTLE: Duration = Duration::from_secs(1);

/// What a process owns.
#[derive(Debug, Clone, Default)]
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
        let mut found = Self {
            fds: entries("/proc/self/fd")?.len(),
            ..Self::default()
        };
        for thread in entries("/proc/self/task")? {
            found.threads += 1;
            let path = format!("/proc/self/task/{thread}/children");
            // A thread that has just ended has no children of its own any more.
            let children = fs::read_to_string(path).unwrap_or_default();
            let pids = children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok());
            found.children.extend(pids);
        }
        let zombies = found.children.iter().filter(|pid| is_zombie(**pid));
        found.zombies = zombies.copied().collect();
        let maps = fs::read_to_string("/proc/self/maps").context("failed to read the mappings")?;
        found.mappings = maps.lines().filter(|line| line.contains("memfd:")).count();
        Ok(found)
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
        let Self {
            processes,
            zombies,
            fds,
            threads,
            mappings,
        } = self;
        write!(
            f,
            "{processes} processes, {zombies} zombies, {fds} descriptors, {threads} threads, \
             {mappings} mappings"
        )
    }
}

fn entries(folder: &str) -> Result<Vec<String>> {
    let read = fs::read_dir(folder).with_context(|| format!("failed to read {folder}"))?;
    let names =
        read.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    Ok(names.collect())
}

/// Whether a process has ended and was not waited for.
fn is_zombie(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses and may hold anything.
    let state = status.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|rest| rest.starts_with('Z'))
}
