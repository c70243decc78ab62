//! Where peers are, and how they get there: all of them below `target`, none in the source tree.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::Report;

/// The programs' sources.
pub(super) const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// The folder of what is built, of which this program is in a folder of its own.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe().context("failed to find this program's file")?;
    let target = program.ancestors().nth(2).context("it is in no folder")?;
    Ok(target.to_owned())
}

/// The virtual environment's Python, or without one the system's.
pub(super) fn python() -> Result<PathBuf> {
    let ours = target()?.join("peers/venv/bin/python");
    let found = if ours.exists() {
        ours
    } else {
        "python3".into()
    };
    Ok(found)
}

/// The program that uses procspawn.
pub(super) fn procspawn() -> Result<PathBuf> {
    Ok(target()?.join("peers/procspawn/release/procspawn-peer"))
}

/// Installs every peer that can be had.
pub(crate) fn install() -> Result<Report> {
    let target = target()?.join("peers");
    let venv = target.join("venv");
    let mut steps = Vec::new();
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&venv);
    steps.push(("a virtual environment", make));
    for (name, file) in [
        ("joblib, loky, mpire, pebble", "requirements.txt"),
        ("mtbase", "requirements-mtbase.txt"),
    ] {
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ]);
        pip.arg(Path::new(PEERS).join(file));
        steps.push((name, pip));
    }
    let mut build = Command::new("cargo");
    build.args([
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--manifest-path",
    ]);
    build.arg(Path::new(PEERS).join("procspawn/Cargo.toml"));
    build.arg("--target-dir").arg(target.join("procspawn"));
    steps.push(("procspawn", build));
    let results = steps.into_iter().map(|(name, command)| match run(command) {
        Ok(()) => format!("{name}: installed\n"),
        Err(error) => format!("{name}: failed: {error:#}\n"),
    });
    let text: String = results.collect();
    let json = serde_json::to_string(&text)?;
    let passed = true;
    Ok(Report { text, json, passed })
}

fn run(mut command: Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    eprintln!("{program} …");
    // What they print is not ours to print: standard output is the report's.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("failed to start {program}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}
