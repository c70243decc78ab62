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

/// What a process has in memory.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.context("no VmRSS")?.trim().parse()?;
    Ok(kib * 1024)
}
