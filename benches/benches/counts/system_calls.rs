//! Counting the system calls of a command with all it starts: by the kernel's tracepoint through perf where that is
//! allowed, which disturbs nothing, or else by strace.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail, ensure};

/// A way to count.
pub(crate) enum Counter {
    Perf,
    Strace,
}

impl Counter {
    /// The first way that works here.
    pub(crate) fn find() -> Result<Self> {
        for counter in [Self::Perf, Self::Strace] {
            if counter.count(&["true".to_owned()]).is_ok() {
                return Ok(counter);
            }
        }
        bail!(
            "system calls can't be counted: install strace, for instance with apt-get install strace"
        )
    }

    /// Runs a command and returns how many system calls it has made.
    pub(crate) fn count(&self, line: &[String]) -> Result<u64> {
        let file = std::env::temp_dir().join(format!("mt-counts-{}", std::process::id()));
        let mut command = match self {
            Self::Perf => {
                let mut perf = Command::new("perf");
                perf.args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-o"]);
                perf.arg(&file).arg("--");
                perf
            }
            Self::Strace => {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-c", "-o"]).arg(&file);
                strace
            }
        };
        let output = command.args(line).output()?;
        let report = fs::read_to_string(&file);
        let _ = fs::remove_file(&file);
        ensure!(output.status.success(), "it ended with {}", output.status);
        self.read(&report?).context("there is no count")
    }

    /// The count in a report: perf's line begins with it, strace's last one ends its table with it.
    fn read(&self, report: &str) -> Option<u64> {
        match self {
            Self::Perf => {
                let line = report.lines().find(|line| line.contains("sys_enter"))?;
                line.split(',').next()?.parse().ok()
            }
            Self::Strace => {
                let line = report.lines().rfind(|line| line.ends_with("total"))?;
                line.split_whitespace().nth(3)?.parse().ok()
            }
        }
    }
}
