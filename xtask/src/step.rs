//! Steps: the named pieces of work that `test`, `lint` and `ci` are lists of.
//!
//! A step is a cargo command or a function. It is announced, run in the workspace's root with the
//! terminal passed through, and timed. This file knows nothing of what the steps check.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// One named piece of work.
pub(crate) struct Step {
    name: &'static str,
    work: Work,
}

enum Work {
    Command(Command),
    Call(fn() -> Result<()>),
}

impl Step {
    /// A step that calls `work` in this process.
    pub(crate) fn call(name: &'static str, work: fn() -> Result<()>) -> Self {
        Self {
            name,
            work: Work::Call(work),
        }
    }

    /// A step that runs `cargo args…` in the workspace's root, without input.
    pub(crate) fn cargo<A: Into<OsString>>(
        name: &'static str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new(cargo());
        command.args(args.into_iter().map(Into::into));
        command.current_dir(root()).stdin(Stdio::null());
        Self {
            name,
            work: Work::Command(command),
        }
    }

    /// Sets a variable in the environment of a cargo step.
    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        if let Work::Command(command) = &mut self.work {
            command.env(key, value);
        }
        self
    }

    /// Runs the step.
    ///
    /// # Errors
    /// When a command cannot be started or ends with anything but success, or the call fails.
    pub(crate) fn run(self) -> Result<()> {
        match self.work {
            Work::Call(work) => work(),
            Work::Command(mut command) => {
                let status = command.status().context("failed to start cargo")?;
                if !status.success() {
                    bail!("cargo ended with {status}");
                }
                Ok(())
            }
        }
    }
}

/// Runs every step, also after one has failed, so that one run shows all there is to mend; ends
/// with a table of times.
///
/// # Errors
/// When at least one step failed; the message names them all.
pub(crate) fn run_all(steps: Vec<Step>) -> Result<()> {
    let mut done: Vec<(&'static str, Duration, bool)> = Vec::new();
    for step in steps {
        let name = step.name;
        eprintln!("==> {name}");
        let start = Instant::now();
        let outcome = step.run();
        if let Err(error) = &outcome {
            eprintln!("{name}: {error:#}");
        }
        done.push((name, start.elapsed(), outcome.is_ok()));
    }
    for (name, took, ok) in &done {
        let verdict = if *ok { "ok" } else { "FAILED" };
        eprintln!("{verdict:>8} {:>7.1} s  {name}", took.as_secs_f64());
    }
    let failed: Vec<_> = done
        .iter()
        .filter(|(_, _, ok)| !ok)
        .map(|(name, ..)| *name)
        .collect();
    if !failed.is_empty() {
        bail!(
            "{} of {} steps failed: {}",
            failed.len(),
            done.len(),
            failed.join(", ")
        );
    }
    Ok(())
}

/// The cargo that runs us, so that a toolchain chosen with `cargo +name` stays chosen.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The workspace's root. Asked at run time first: a build directory shared by two checkouts may
/// hold a binary that was built in the other one.
pub(crate) fn root() -> PathBuf {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest_dir
        .parent()
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::{Step, Work, run_all};

    /// A step that fails without printing.
    fn no_such_command() -> Step {
        let mut step = Step::cargo("no such command", ["no-such-command"]);
        if let Work::Command(command) = &mut step.work {
            command.stderr(Stdio::null());
        }
        step
    }

    #[test]
    fn every_step_runs_and_the_failed_ones_are_named() {
        let steps = vec![
            Step::call("bad", || anyhow::bail!("broken")),
            Step::call("good", || Ok(())),
            no_such_command(),
        ];
        let error = run_all(steps).expect_err("two steps fail").to_string();
        assert_eq!(error, "2 of 3 steps failed: bad, no such command");
        run_all(vec![Step::call("good", || Ok(()))]).expect("all steps pass");
    }
}
