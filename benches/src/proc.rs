//! What Linux tells of processes, in `/proc`.

use std::{
    fs,
    io::{self, ErrorKind},
};

use anyhow::{Context, Result};

/// What a process has in memory; `None` for one that has ended or is about to, which gives its memory back first.
pub(crate) fn resident_bytes(pid: u32) -> Result<Option<u64>> {
    let path = format!("/proc/{pid}/status");
    let status = match fs::read_to_string(&path) {
        Ok(status) => status,
        Err(error) if is_no_process(&error) => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("failed to read {path}")),
    };
    bytes_in(&status, "VmRSS:")
}

/// What a process has in memory, of pages that others have too its share of them.
pub(crate) fn proportional_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let told = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    bytes_in(&told, "Pss:")?.with_context(|| format!("process {pid} has no memory"))
}

fn is_no_process(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

fn bytes_in(told: &str, field: &str) -> Result<Option<u64>> {
    let Some(line) = told.lines().find_map(|line| line.strip_prefix(field)) else {
        return Ok(None);
    };
    let kib = line.trim().strip_suffix(" kB");
    let kib: u64 = kib
        .with_context(|| format!("not in kB: {line}"))?
        .trim()
        .parse()?;
    Ok(Some(kib * 1024))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn who_ends_has_no_memory() {
        let running = "Name:\tmt-bench\nState:\tR (running)\nVmRSS:\t    2048 kB\nThreads:\t4\n";
        assert_eq!(bytes_in(running, "VmRSS:").unwrap(), Some(2 << 20));
        let ending = "Name:\tmt-bench\nState:\tR (running)\nThreads:\t1\n";
        assert_eq!(bytes_in(ending, "VmRSS:").unwrap(), None);
        assert!(bytes_in("VmRSS:\t 2 MB\n", "VmRSS:").is_err());
        assert_eq!(resident_bytes(0).unwrap(), None);
        let own = std::process::id();
        assert!(resident_bytes(own).unwrap() > Some(0));
        assert!(proportional_bytes(own).unwrap() > 0);
    }
}
