//! A long run whose memory is looked at: that of this process and of every worker.
//!
//! Looked at when a tenth of the items has passed, and then at every hundredth; what counts is how much
//! more than at the first look there is at any later one.

use std::{
    fmt, fs,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::{Context, Result};
use mt_pool::{PoolEvent, asyn_pmap};
use serde::Serialize;

use crate::tasks::{mix, mixed};

/// The most a process may grow: 1 MiB.
const MOST: u64 = 1 << 20;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The items.
    pub items: u64,
    /// The worker processes.
    pub workers: usize,
    /// Whether outcomes come in the order of the items.
    pub ordered: bool,
}

/// What was seen of one process.
#[derive(Debug, Clone, Serialize)]
struct Process {
    name: String,
    pid: u32,
    warm_bytes: u64,
    most_bytes: u64,
    growth_bytes: u64,
}

/// What was seen of all of them.
#[derive(Debug, Serialize)]
pub struct Report {
    items: u64,
    workers: usize,
    ordered: bool,
    processes: Vec<Process>,
    seconds: f64,
}

/// Runs a plan.
///
/// # Errors
/// When the run does not start, an outcome is missing or wrong, or `/proc` can't be read.
pub fn run(plan: Plan) -> Result<Report> {
    let pids = Arc::new(Mutex::new(vec![("parent".to_owned(), std::process::id())]));
    let heard = Arc::clone(&pids);
    let run = asyn_pmap::<mixed>(0..plan.items)
        .pool_processes(plan.workers)
        .pool_ordered(plan.ordered)
        .observe(move |event| {
            if let PoolEvent::WorkerStarted { worker, pid } = event {
                let mut pids = heard.lock().unwrap_or_else(PoisonError::into_inner);
                pids.push((format!("worker {worker}"), *pid));
            }
        });
    let start = Instant::now();
    let mut outcomes = run.start()?.indexed().into_iter();
    let (warm, step) = (plan.items / 10, (plan.items / 100).max(1));
    let mut processes = Vec::new();
    for done in 1..=plan.items {
        let (index, outcome) = outcomes.next().context("an outcome is missing")?;
        let value = outcome?;
        anyhow::ensure!(value == mix(index), "item {index} has the value {value}");
        if done == warm {
            let pids = pids.lock().unwrap_or_else(PoisonError::into_inner);
            let first = pids.iter().map(|(name, pid)| Process::first(name, *pid));
            processes = first.collect::<Result<_>>()?;
        } else if done > warm && done.is_multiple_of(step) && done < plan.items {
            for process in &mut processes {
                process.look()?;
            }
        }
    }
    anyhow::ensure!(outcomes.next().is_none(), "an outcome too many");
    Ok(Report {
        items: plan.items,
        workers: plan.workers,
        ordered: plan.ordered,
        processes,
        seconds: start.elapsed().as_secs_f64(),
    })
}

impl Process {
    fn first(name: &str, pid: u32) -> Result<Self> {
        let now = resident_bytes(pid)?;
        Ok(Self {
            name: name.to_owned(),
            pid,
            warm_bytes: now,
            most_bytes: now,
            growth_bytes: 0,
        })
    }

    fn look(&mut self) -> Result<()> {
        self.most_bytes = self.most_bytes.max(resident_bytes(self.pid)?);
        self.growth_bytes = self.most_bytes - self.warm_bytes;
        Ok(())
    }
}

/// What a process has in memory.
fn resident_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.context("no VmRSS")?.trim().parse()?;
    Ok(kib * 1024)
}

impl Report {
    /// Whether no process has grown by more than 1 MiB.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.processes
            .iter()
            .all(|process| process.growth_bytes < MOST)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} items, {} workers, {}, {:.1} s",
            self.items,
            self.workers,
            if self.ordered { "ordered" } else { "unordered" },
            self.seconds
        )?;
        for process in &self.processes {
            let kib = |bytes: u64| bytes / 1024;
            writeln!(
                f,
                "{:<10} {:>8} KiB when warm, at most {:>8} KiB, growth {:>6} KiB",
                process.name,
                kib(process.warm_bytes),
                kib(process.most_bytes),
                kib(process.growth_bytes)
            )?;
        }
        Ok(())
    }
}
