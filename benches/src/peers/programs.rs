//! Peers that are programs of their own: how they are called, and what they say.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Peer, install};
use crate::{cpu::Job, measure::Sample, rows::Missing};

/// After so many seconds a peer ends itself, as some hang.
const LIMIT_S: u64 = 60;
/// What a peer ends with when its library is not there.
const MISSING: i32 = 3;

/// The scripts in `benches/peers`, and the name of each.
const SCRIPTS: [(&str, &str); 6] = [
    ("multiprocessing", "multiprocessing_pool.py"),
    ("concurrent.futures", "concurrent_futures.py"),
    ("joblib/loky", "joblib_loky.py"),
    ("mpire", "mpire_pool.py"),
    ("pebble", "pebble_pool.py"),
    ("mtbase", "mtbase_pmap.py"),
];

/// What a peer is told to do.
#[derive(Clone)]
pub(super) struct Asked {
    /// As JSON.
    json: Value,
    /// The same tasks and workers here, where they are to be timed without any library too.
    alone: Option<(u64, Duration, usize)>,
}

impl Asked {
    /// The task that does nothing.
    pub(super) fn same(count: u64, workers: usize, batch: u64) -> Self {
        let task = "same";
        let json = json!({"task": task, "count": count, "workers": workers, "batch": batch, "limit_s": LIMIT_S});
        Self { json, alone: None }
    }

    /// Tasks that keep a processor busy for this long. The peer chooses the batch.
    pub(super) fn spin(count: u64, workers: usize, time: Duration) -> Self {
        let mut asked = Self::same(count, workers, 0);
        asked.json["task"] = json!("spin");
        asked.json["batch"] = Value::Null;
        asked.json["seconds"] = json!(time.as_secs_f64());
        asked.alone = Some((count, time, workers));
        asked
    }

    /// Bodies that are given back, one in a batch.
    pub(super) fn bodies(count: u64, workers: usize, bytes: usize) -> Self {
        let mut asked = Self::same(count, workers, 1);
        asked.json["task"] = json!("body");
        asked.json["bytes"] = json!(bytes);
        asked
    }
}

/// All peers, told to do this; `amount` is all of it, in the unit of the row and a second. `without_batches`: also those
/// that have no batches.
pub(super) fn all(asked: &Asked, without_batches: bool, amount: f64) -> Vec<Peer> {
    let scripts = SCRIPTS.map(|(name, script)| {
        let asked = asked.clone();
        let run = move || in_python(name, script, &asked, amount);
        let run = Box::new(run);
        Peer { name, run }
    });
    let asked = asked.clone();
    let procspawn = without_batches.then(|| Peer {
        name: "procspawn",
        run: Box::new(move || {
            let program = install::procspawn()?;
            let by_hand = missing("procspawn", "it is not built");
            ensure!(program.exists(), by_hand);
            timed("procspawn", Command::new(program), &asked, amount)
        }),
    });
    scripts.into_iter().chain(procspawn).collect()
}

fn in_python(name: &str, script: &str, asked: &Asked, amount: f64) -> Result<Sample> {
    let mut python = Command::new(install::python()?);
    python.arg(Path::new(install::PEERS).join(script));
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    timed(name, python, asked, amount)
}

/// Runs the program. Of tasks that keep a processor busy only the share of the processors counts that they get: what a task
/// takes differs from program to program, by a tenth and more. So the value is that share of what threads do here that do
/// nothing else.
fn timed(name: &str, mut program: Command, asked: &Asked, amount: f64) -> Result<Sample> {
    let begun = Instant::now();
    // A group of its own: what hangs ends with all it has started.
    program.arg(asked.json.to_string()).process_group(0);
    let output = program.stdin(Stdio::null()).output();
    let output = output.map_err(|error| missing(name, &error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or_default();
    match output.status.code() {
        Some(0) => {}
        Some(MISSING) => return Err(missing(name, last).into()),
        _ => bail!("{name} ended with {}: {last}", output.status),
    }
    let value: Value = serde_json::from_slice(&output.stdout)?;
    let seconds = value["seconds"].as_f64();
    let seconds = seconds.with_context(|| format!("{name} did not say how long it took"))?;
    let value = match (asked.alone, value["without_library"].as_f64()) {
        (Some((count, time, workers)), Some(alone)) => {
            Job::of(count, time).ideal(workers)?.value * alone / seconds
        }
        _ => amount / seconds,
    };
    Ok(Sample::taken(value, begun.elapsed()))
}

fn missing(name: &str, why: &str) -> Missing {
    Missing(format!(
        "{name}, which `cargo xtask bench compare --install` installs ({why})"
    ))
}
