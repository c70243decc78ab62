//! The file of accepted counts, and what the counted instructions depend on beside our code.

use std::{collections::BTreeMap, fmt, fs, process::Command};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::step;

/// Counts by their names.
pub(super) type Counts = BTreeMap<String, f64>;

/// What is accepted.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Accepted {
    /// Where the instructions were counted.
    pub(super) machine: Machine,
    /// By which fraction instructions may be more.
    pub(super) tolerance: f64,
    /// Instructions an item.
    pub(super) instructions: Counts,
    /// The most of what is counted in runs.
    pub(super) most: Counts,
}

/// What instructions depend on. Copying is the same on every processor: see `TUNABLES` of the bench.
#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(super) struct Machine {
    arch: String,
    rustc: String,
    /// The C library, which has the allocator.
    libc: String,
}

impl Accepted {
    /// Where it stands in the repository.
    pub(super) const FILE: &str = "benches/accepted.json";

    pub(super) fn read() -> Result<Self> {
        let text = fs::read_to_string(step::root().join(Self::FILE));
        let text = text.with_context(|| format!("failed to read {}", Self::FILE))?;
        serde_json::from_str(&text).with_context(|| format!("{} makes no sense", Self::FILE))
    }

    pub(super) fn write(&mut self) -> Result<()> {
        for count in self.instructions.values_mut() {
            *count = (*count * 1000.0).round() / 1000.0;
        }
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(step::root().join(Self::FILE), text)
            .with_context(|| format!("failed to write {}", Self::FILE))
    }
}

impl Machine {
    /// What this machine has.
    pub(super) fn here() -> Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let rustc = first_line(Command::new(rustc).arg("--version"))?;
        let version = rustc.split(' ').nth(1).context("rustc has no version")?;
        let libc = first_line(Command::new("getconf").arg("GNU_LIBC_VERSION"));
        Ok(Self {
            arch: std::env::consts::ARCH.to_owned(),
            rustc: version.to_owned(),
            libc: libc.unwrap_or_else(|_| "not glibc".to_owned()),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arch, rustc, libc } = self;
        write!(f, "{arch}, rustc {rustc}, {libc}")
    }
}

/// What a program prints first.
pub(super) fn first_line(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "it ended with {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().context("it printed nothing")?;
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Accepted, Machine};

    #[test]
    fn the_file_is_read_and_this_machine_is_known() {
        let accepted = Accepted::read().expect("it is in the repository");
        assert!(accepted.tolerance > 0.0 && accepted.tolerance < 0.1);
        assert!(!accepted.instructions.is_empty() && !accepted.most.is_empty());
        let here = Machine::here().expect("rustc has built this").to_string();
        assert!(here.contains("rustc 1."), "{here}");
    }
}
