//! Steps: the named pieces of work that `test`, `lint` and `ci` are lists of.
//!
//! A step is a cargo command or a function. It is announced, run in the workspace's root with its output
//! passed on, and timed. This file knows nothing of what the steps check.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::findings;

/// One named piece of work.
pub(crate) struct Step {
    name: Cow<'static, str>,
    work: Box<dyn FnOnce() -> Result<()>>,
}

impl Step {
    /// A step that calls `work` in this process.
    pub(crate) fn call(name: &'static str, work: fn() -> Result<()>) -> Self {
        let (name, work) = (name.into(), Box::new(work));
        Self { name, work }
    }

    /// A step that runs a command, of cargo mostly. An error when it ends with anything but success.
    pub(crate) fn command(name: impl Into<Cow<'static, str>>, command: Command) -> Self {
        let work = move || {
            let status = findings::run(command)?;
            if !status.success() {
                bail!("cargo ended with {status}");
            }
            Ok(())
        };
        let (name, work) = (name.into(), Box::new(work));
        Self { name, work }
    }

    /// Runs the step.
    pub(crate) fn run(self) -> Result<()> {
        (self.work)()
    }
}

/// Runs every step, also after one has failed, so that one run shows all there is to mend; ends
/// with a table of times.
pub(crate) fn run_all(steps: Vec<Step>) -> Result<()> {
    let mut table = Vec::new();
    let mut failed = Vec::new();
    let count = steps.len();
    for step in steps {
        let name = step.name.clone();
        eprintln!("==> {name}");
        let start = Instant::now();
        let outcome = step.run();
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        let took = start.elapsed().as_secs_f64();
        table.push(format!("{verdict:>8} {took:>7.1} s  {name}"));
        if let Err(error) = outcome {
            eprintln!("{name}: {error:#}");
            failed.push(name);
        }
    }
    eprintln!("{}", table.join("\n"));
    if !failed.is_empty() {
        let names = failed.join(", ");
        bail!("{} of {count} steps failed: {names}", failed.len());
    }
    Ok(())
}

/// `cargo` with these words, to be run in the workspace's root and without input. It is the cargo that
/// runs us, so that a toolchain chosen with `cargo +name` stays chosen.
pub(crate) fn cargo(words: &str) -> Command {
    let cargo = std::env::var_os("CARGO");
    let mut command = Command::new(cargo.unwrap_or_else(|| OsString::from("cargo")));
    command.args(words.split(' '));
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// What a command prints, when it ends with success; what it says on standard error comes out of ours.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.context("failed to start cargo")?;
    if !output.status.success() {
        bail!("cargo ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The workspace's root. Asked at run time first: a build directory shared by two checkouts may
/// hold a binary that was built in the other one.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let root = manifest.parent().map(PathBuf::from);
    root.unwrap_or_else(|| PathBuf::from("."))
}

/// Where cargo builds, and what else is made.
pub(crate) fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root().join(named.unwrap_or_else(|| PathBuf::from("target")))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::{Step, cargo, run_all};

    #[test]
    fn every_step_runs_and_the_failed_ones_are_named() {
        // Fails without printing.
        let mut unknown = cargo("no-such-command");
        unknown.stderr(Stdio::null());
        let steps = vec![
            Step::call("bad", || anyhow::bail!("broken")),
            Step::call("good", || Ok(())),
            Step::command("no such command", unknown),
        ];
        let error = run_all(steps).expect_err("two steps fail").to_string();
        assert_eq!(error, "2 of 3 steps failed: bad, no such command");
        run_all(vec![Step::call("good", || Ok(()))]).expect("all steps pass");
    }
}
