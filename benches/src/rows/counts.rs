//! P11: how often the processes of a run switch contexts and call the system.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use mt_pool::asyn_pmap;

use super::{Missing, Reach, Row, constant, pooled};
use crate::{
    Effort,
    cpu::{Job, processors},
    measure::Sample,
    platform, processes,
    tasks::spin,
};

const TASK: Duration = Duration::from_micros(10);

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let tasks = effort.count(100_000);
    let row = |variant: &str| {
        Row {
        id: "P11",
        variant: variant.to_owned(),
        title: "a whole run of plain fn tasks of 10 µs, all its processes, their start and end included; against 0.1"
            .to_owned(),
        unit: "a task",
        reach: Reach::AtMost(1.0),
        ours: Box::new(move || context_switches(tasks)),
        limit: constant(0.1),
        peers: Vec::new(),
    }
    };
    vec![
        row("context switches"),
        Row {
            ours: Box::new(move || system_calls(tasks)),
            ..row("system calls")
        },
    ]
}

fn context_switches(tasks: u64) -> Result<Sample> {
    let (begun, before) = (Instant::now(), platform::context_switches());
    run(tasks)?;
    // The workers have ended with the run, so theirs are there too.
    let switches = platform::context_switches() - before;
    let value = switches as f64 / tasks as f64;
    Ok(Sample::taken(value, begun.elapsed()))
}

fn run(tasks: u64) -> Result<()> {
    let job = Job::of(tasks, TASK);
    let sum = pooled::sum(asyn_pmap::<spin>(job.tasks()).processes(processors()))?;
    ensure!(sum == job.total(), "the results have other values");
    Ok(())
}

/// Does the run that is counted, of as many tasks as the program's second argument says.
pub(crate) fn run_child() -> Result<()> {
    let tasks = std::env::args().nth(2).context("no number of tasks")?;
    run(tasks.parse().context("no number of tasks")?)
}

/// The system calls of a process of this program for the run, less those of one that does nothing.
fn system_calls(tasks: u64) -> Result<Sample> {
    let begun = Instant::now();
    let of_run = counted(&[processes::COUNTED, &tasks.to_string()])?;
    let of_start = counted(&[processes::NOTHING])?;
    let value = of_run.saturating_sub(of_start) as f64 / tasks as f64;
    Ok(Sample::taken(value, begun.elapsed()))
}

/// The system calls of a process of this program and all that it starts, as perf counts them.
fn counted(arguments: &[&str]) -> Result<u64> {
    let missing = |why: &dyn std::fmt::Display| {
        Missing(format!(
            "perf that may count raw_syscalls:sys_enter (package linux-perf, and root or a low \
             kernel.perf_event_paranoid): {why}"
        ))
    };
    let mut perf = Command::new("perf");
    perf.args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "--"]);
    perf.arg(std::env::current_exe().context("failed to find this program's file")?);
    let output = perf.args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| missing(&error))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let counted = said.lines().find(|line| line.contains("sys_enter"));
    let count = counted.and_then(|line| line.split(',').next()?.parse().ok());
    Ok(count.ok_or_else(|| missing(&said.trim()))?)
}
