//! The runs that are measured, and what comes of them.

use std::{
    collections::BTreeMap,
    env,
    hint::spin_loop,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use mt_benches::wakeups;
use mt_pool::{Task, asyn_pmap};
use serde_json::json;

use crate::{platform::allocations::allocations, system_calls::Counter};

/// What a process of this program is told that is to be measured; then come a kind and a number of items.
const MEASURED: &str = "measured";

/// A kind of run: its name, and the items of the long one.
const KINDS: [(&str, u64); 2] = [("10 µs", 20_000), ("no-op", 200_000)];

/// A short run has as many items as a long one divided by this.
const SHORT: u64 = 10;

const WORKERS: usize = 2;

/// Who has worked on an item, and how often that process had asked for memory until then.
type Worked = (u32, u64);

/// The id of this process. To ask for it is a system call.
static PID: LazyLock<u32> = LazyLock::new(std::process::id);

/// Keeps the processor for ten microseconds.
#[mt_pool::task]
fn ten_micros(_item: u64) -> Worked {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(10) {
        spin_loop();
    }
    (*PID, allocations())
}

/// Does nothing.
#[mt_pool::task]
fn no_op(_item: u64) -> Worked {
    (*PID, allocations())
}

/// What a run costs.
const FIGURES: [&str; 4] = [
    "system calls",
    "wake-ups",
    "allocations, parent",
    "allocations, workers",
];

/// The figures of one run, in that order.
type Cost = [f64; FIGURES.len()];

/// What others on the machine do adds to a run, so the least of so many tries counts.
const TRIES: usize = 3;

pub(crate) fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let [_, command, kind, items] = &arguments[..]
        && command == MEASURED
    {
        return measured(kind, items.parse()?);
    }
    let counter = Counter::find()?;
    for (kind, items) in KINDS {
        let [short, long] = [items / SHORT, items].map(|items| least(&counter, kind, items));
        let (short, long) = (short?, long?);
        let over = (items - items / SHORT) as f64;
        for ((name, long), short) in FIGURES.iter().zip(long).zip(short) {
            let (name, value) = (format!("{kind}: {name}"), (long - short).max(0.0) / over);
            println!("{}", json!({ "name": name, "value": value }));
        }
    }
    Ok(())
}

/// The least that a run has cost in some tries.
fn least(counter: &Counter, kind: &str, items: u64) -> Result<Cost> {
    let mut least = [f64::INFINITY; FIGURES.len()];
    for _ in 0..TRIES {
        for (least, cost) in least.iter_mut().zip(cost(counter, kind, items)?) {
            *least = cost.min(*least);
        }
    }
    Ok(least)
}

fn this_program(kind: &str, items: u64) -> Vec<String> {
    let program = env::current_exe().unwrap_or_default();
    let program = program.to_string_lossy().into_owned();
    vec![program, MEASURED.into(), kind.into(), items.to_string()]
}

/// What a run has cost: one process measures itself, and another's system calls are counted.
fn cost(counter: &Counter, kind: &str, items: u64) -> Result<Cost> {
    let line = this_program(kind, items);
    let output = Command::new(&line[0]).args(&line[1..]).output()?;
    ensure!(
        output.status.success(),
        "a run ended with {}",
        output.status
    );
    let [wakeups, parent, workers]: [f64; 3] =
        serde_json::from_slice(&output.stdout).context("a run told nothing")?;
    Ok([counter.count(&line)? as f64, wakeups, parent, workers])
}

/// Does a run and tells what it has cost.
fn measured(kind: &str, items: u64) -> Result<()> {
    let workers = match kind {
        "10 µs" => map::<ten_micros>(items)?,
        "no-op" => map::<no_op>(items)?,
        _ => bail!("there is no such kind"),
    };
    let of_workers: u64 = workers.values().sum();
    println!("{}", json!([wakeups(), allocations(), of_workers]));
    Ok(())
}

/// Maps over the items, and returns how often each worker has asked for memory.
fn map<T: Task<Input = u64, Output = Worked>>(items: u64) -> Result<BTreeMap<u32, u64>> {
    let mut workers = BTreeMap::new();
    for outcome in asyn_pmap::<T>(0..items).processes(WORKERS).start()? {
        let (pid, count) = outcome.ok().context("an item failed")?;
        let most = workers.entry(pid).or_default();
        *most = count.max(*most);
    }
    Ok(workers)
}
