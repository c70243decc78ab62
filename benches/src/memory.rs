//! A long run whose memory is looked at: that of this process and of every worker.
//!
//! Looked at when a tenth of the items has passed, and then at every hundredth; what counts is how much
//! more than at the first look there is at any later one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use mt_pool::{asyn_pmap, events::PoolEvent};
use serde_json::json;

use crate::{
    proc,
    report::{Figures, Report},
    tasks::{mix, mixed},
};

/// The most a process may grow: 1 MiB.
const MOST: u64 = 1 << 20;

/// Runs ten million items and looks at the memory of the parent and of every worker.
///
/// When a tenth of the items has passed all is warm; after that no process may grow by 1 MiB. Needs
/// Linux.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask memory                    ten million items in their order, 2 workers
  cargo xtask memory --unordered --json

Ends with an error when a process has grown by 1 MiB or more, or an outcome is wrong.")]
pub struct Plan {
    /// The items
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..))]
    items: u64,

    /// The worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,

    /// Take outcomes as they come in place of the order of the items
    #[arg(long = "unordered", action = clap::ArgAction::SetFalse)]
    ordered: bool,
}

/// What was seen of one process.
struct Process {
    name: String,
    pid: u32,
    warm_bytes: u64,
    most_bytes: u64,
}

/// Runs a plan.
pub fn run(plan: &Plan) -> Result<Report> {
    let start = Instant::now();
    let processes = grown(plan)?;
    let figures = vec![
        ("items", json!(plan.items)),
        ("workers", json!(plan.workers)),
        ("ordered", json!(plan.ordered)),
        ("seconds", json!(start.elapsed().as_secs_f64())),
    ];
    let rows: Vec<Figures> = processes.iter().map(Process::figures).collect();
    let passed = processes.iter().all(|process| process.growth() < MOST);
    let report = Report::of(&figures).with_rows("processes", &rows);
    Ok(report.with_verdict(passed))
}

/// By how much the process grows that grows most over so many items in their order.
pub(crate) fn most_growth_bytes(items: u64, workers: usize) -> Result<u64> {
    let ordered = true;
    let processes = grown(&Plan {
        items,
        workers,
        ordered,
    })?;
    let growth = processes.iter().map(Process::growth).max();
    growth.context("no process was looked at")
}

/// Every process of a run, and by how much it has grown.
fn grown(plan: &Plan) -> Result<Vec<Process>> {
    let pids = Arc::new(Mutex::new(vec![("parent".to_owned(), std::process::id())]));
    let heard = Arc::clone(&pids);
    let run = asyn_pmap::<mixed>(0..plan.items)
        .processes(plan.workers)
        .ordered(plan.ordered)
        .observe(move |event| {
            if let PoolEvent::WorkerStarted { worker, pid } = event {
                let mut pids = heard.lock().unwrap_or_else(PoisonError::into_inner);
                pids.push((format!("worker {worker}"), *pid));
            }
        });
    let mut outcomes = run.start()?.indexed().into_iter();
    let (warm, step) = (plan.items / 10, (plan.items / 100).max(1));
    let mut processes = Vec::new();
    for done in 1..=plan.items {
        let (index, outcome) = outcomes.next().context("an outcome is missing")?;
        let value = outcome?;
        ensure!(value == mix(index), "item {index} has the value {value}");
        if done == warm {
            let pids = pids.lock().unwrap_or_else(PoisonError::into_inner);
            let first = pids.iter().map(|(name, pid)| Process::first(name, *pid));
            processes = first.collect::<Result<_>>()?;
        } else if done > warm && done.is_multiple_of(step) && done < plan.items {
            processes.iter_mut().try_for_each(Process::look)?;
        }
    }
    ensure!(outcomes.next().is_none(), "an outcome too many");
    Ok(processes)
}

impl Process {
    fn first(name: &str, pid: u32) -> Result<Self> {
        let now = proc::resident_bytes(pid)?.unwrap_or(0);
        Ok(Self {
            name: name.to_owned(),
            pid,
            warm_bytes: now,
            most_bytes: now,
        })
    }

    fn look(&mut self) -> Result<()> {
        // When all outcomes are here, or on their way to be taken, it has ended.
        let now = proc::resident_bytes(self.pid)?.unwrap_or(0);
        self.most_bytes = self.most_bytes.max(now);
        Ok(())
    }

    fn growth(&self) -> u64 {
        self.most_bytes - self.warm_bytes
    }

    fn figures(&self) -> Figures {
        vec![
            ("name", json!(self.name)),
            ("pid", json!(self.pid)),
            ("warm_bytes", json!(self.warm_bytes)),
            ("most_bytes", json!(self.most_bytes)),
            ("growth_bytes", json!(self.growth())),
        ]
    }
}
