//! How long what a queen has started lives on when she is killed.
//!
//! A process of its own is the queen: she has bees, these have bees of their own, and each of those has started a
//! program. One bee is in a loop that never ends. The queen is killed with `SIGKILL`, and all processes that were
//! below her are looked for until none of them runs.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use mt_beehive::{BeehiveRun, Hive, hive_of};
use mt_test_kit::{descendants_of, is_gone, state_of};
use serde_json::json;

use crate::{
    measure::percentile_ms,
    processes::{self, QUEEN},
    report::Report,
};

/// The bees below her, and below each of those.
const BEES: usize = 2;
/// All processes below her: bees, their bees, and the program of each of these.
const BELOW: usize = BEES + 2 * BEES * BEES;
/// When it is given up to wait.
const TOO_LONG: Duration = Duration::from_secs(20);

/// Measures how long what a queen has started lives on when she is killed.
///
/// Queens are killed with `SIGKILL`; below each are her bees, the bees of these, and programs that those have
/// started. Needs Linux.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask orphans
  cargo xtask orphans --kills 100 --json")]
pub struct Plan {
    /// The queens to kill
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
}

/// A bee without bees, beside a program that she has started.
struct Leaf;

#[mt_beehive::worker]
impl Leaf {
    fn new() -> std::io::Result<Self> {
        let mut program = Command::new("sleep");
        program.stdin(Stdio::null()).stdout(Stdio::null());
        program.arg("1000").spawn().map(|_| Self)
    }

    /// Never gives the thread back.
    #[task]
    fn spin(&self) {
        loop {
            std::hint::spin_loop();
        }
    }
}

/// A bee with bees.
#[derive(Default)]
struct Branch;

#[mt_beehive::worker(worker = Leaf)]
impl Branch {
    fn hive(&self) -> BeehiveRun<Leaf> {
        hive_of::<Leaf>(()).processes(BEES)
    }

    #[task]
    async fn spin(&self, hive: &Hive<Leaf>) {
        let _ = hive.spin().await;
    }
}

/// The queen's own process: reigns until it is killed.
pub fn reign() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let hive = hive_of::<Branch>(()).processes(BEES);
    // One for each of them: a bee's own hive begins with the first task she has for it.
    let run = hive.max_concurrency(1).run(async |hive| {
        let spinning = (0..BEES).map(|_| hive.spin());
        anyhow::Ok(join_all(spinning).await)
    });
    let results = runtime.block_on(run)?;
    anyhow::bail!("what never ends has ended: {results:?}")
}

/// Kills queens, one after the other.
pub fn run(plan: &Plan) -> Result<Report> {
    let times = (0..plan.kills).map(|_| kill_one());
    let times = times.collect::<Result<Vec<_>>>()?;
    Ok(Report::of(&vec![
        ("kills", json!(plan.kills)),
        ("processes_each", json!(BELOW)),
        ("p50_ms", json!(percentile_ms(&times, 0.5))),
        ("most_ms", json!(percentile_ms(&times, 1.0))),
    ]))
}

fn kill_one() -> Result<Duration> {
    let mut queen = processes::start(QUEEN, Stdio::null())?;
    let below = wait_until_busy(&queen);
    queen.kill().context("failed to kill a queen")?;
    let killed = Instant::now();
    let below = below?;
    // One that only waits to be reaped, by whoever has inherited it, is gone.
    while !below.iter().all(|&pid| is_gone(pid)) {
        ensure!(killed.elapsed() < TOO_LONG, "they live on: {below:?}");
        std::thread::yield_now();
    }
    let time = killed.elapsed();
    queen.wait()?;
    Ok(time)
}

/// Waits until all are there and one of them loops.
fn wait_until_busy(queen: &Child) -> Result<Vec<u32>> {
    let begun = Instant::now();
    loop {
        let below = descendants_of(queen.id());
        if below.len() == BELOW && below.iter().any(|&pid| state_of(pid) == Some('R')) {
            return Ok(below);
        }
        ensure!(begun.elapsed() < TOO_LONG, "a queen has only {below:?}");
        std::thread::yield_now();
    }
}
