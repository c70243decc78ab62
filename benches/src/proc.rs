//! What Linux tells of processes, in `/proc`.

use std::fs;

use anyhow::{Context, Result};

/// The names in a folder.
pub(crate) fn entries(folder: &str) -> Result<Vec<String>> {
    let read = fs::read_dir(folder).with_context(|| format!("failed to read {folder}"))?;
    let names = read.flatten().map(|entry| entry.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    Ok(names.collect())
}

/// The processes that a process has started and that are not reaped; none if it is gone.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let tasks = format!("/proc/{pid}/task");
    let threads = entries(&tasks).unwrap_or_default().into_iter();
    // A thread that has just ended has no children of its own any more.
    let lists = threads.flat_map(|thread| fs::read_to_string(format!("{tasks}/{thread}/children")));
    let lists: Vec<String> = lists.collect();
    let pids = lists.iter().flat_map(|list| list.split_whitespace());
    pids.filter_map(|pid| pid.parse().ok()).collect()
}

/// `R` for one that runs, `Z` for one that has ended and was not waited for, …; `None` if it is gone.
pub(crate) fn state(pid: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The state follows the name, which is in parentheses and may hold anything.
    let (_, rest) = status.rsplit_once(')')?;
    rest.trim_start().chars().next()
}

/// What a process has in memory.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.context("no VmRSS")?.trim().parse()?;
    Ok(kib * 1024)
}
