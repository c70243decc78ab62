//! Counters of processes that the system has killed for want of memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Tells how many processes of one control group the system has killed for want of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KillCounter(PathBuf);

impl KillCounter {
    /// The one that is read from this file.
    #[cfg(target_os = "linux")]
    pub(super) fn at(file: PathBuf) -> Self {
        Self(file)
    }

    /// The file it is read from.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// How many there were so far; `None` when the group is gone.
    pub(crate) fn kills(&self) -> Option<u64> {
        let text = fs::read_to_string(&self.0).ok()?;
        let kills = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills?.trim().parse().ok()
    }
}
