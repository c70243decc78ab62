//! What Linux tells of processes, in `/proc`.

use std::{
    fs,
    io::{self, ErrorKind},
};

use anyhow::{Context, Result};

/// The names in a folder.
pub(crate) fn entries(folder: &str) -> Result<Vec<String>> {
    let read = fs::read_dir(folder).with_context(|| format!("failed to read {folder}"))?;
    let names = read.flatten().map(|entry| entry.file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    Ok(names.collect())
}

/// What this process has in memory.
pub(crate) fn own_resident_bytes() -> Result<u64> {
    resident_bytes(std::process::id())?.context("this process has no memory")
}

/// What a process has in memory; `None` for one that has ended or is about to, which gives its memory back first.
pub(crate) fn resident_bytes(pid: u32) -> Result<Option<u64>> {
    let path = format!("/proc/{pid}/status");
    let status = match fs::read_to_string(&path) {
        Ok(status) => status,
        Err(error) if is_no_process(&error) => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("failed to read {path}")),
    };
    resident_bytes_in(&status)
}

fn is_no_process(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

fn resident_bytes_in(status: &str) -> Result<Option<u64>> {
    let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmRSS:")) else {
        return Ok(None);
    };
    let kib = line.trim().strip_suffix(" kB");
    let kib: u64 = kib
        .with_context(|| format!("not in kB: {line}"))?
        .trim()
        .parse()?;
    Ok(Some(kib * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_ends_has_no_memory() {
        let running = "Name:\tmt-bench\nState:\tR (running)\nVmRSS:\t    2048 kB\nThreads:\t4\n";
        assert_eq!(resident_bytes_in(running).unwrap(), Some(2 << 20));
        let ending = "Name:\tmt-bench\nState:\tR (running)\nThreads:\t1\n";
        assert_eq!(resident_bytes_in(ending).unwrap(), None);
        assert!(resident_bytes_in("VmRSS:\t 2 MB\n").is_err());
        assert_eq!(resident_bytes(0).unwrap(), None);
        assert!(own_resident_bytes().unwrap() > 0);
    }
}
