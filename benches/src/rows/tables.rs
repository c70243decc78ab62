//! P5s for hives: a gibibyte that bees are made of, and read.

use std::{
    hint::black_box,
    process,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use mt_beehive::{
    Blob, Hive, hive_of,
    stats::{BeeState, BeeStatus},
};

use super::{
    Reach, Row, constant,
    memory::needs_linux,
    shared::{self, BYTES, MIB, PAGE},
};
use crate::{Effort, measure::Sample, proc, tasks::blob_of};

/// The most memory that a bee may have beside the table, in MiB.
const A_BEE: f64 = 16.0;
/// The bees whose memory is looked at.
const BEES: usize = 8;
/// The pause between two looks at bees that are being made.
const LOOK: Duration = Duration::from_millis(1);

/// Has read each page of the table before she is ready.
struct Reader {
    table: Blob,
    sum: u64,
}

#[mt_beehive::worker]
impl Reader {
    fn new(table: Blob) -> Self {
        let sum = sum(&table);
        Self { table, sum }
    }

    /// The bytes of the table, and what its pages sum up to.
    #[task]
    async fn found(&self) -> (usize, u64) {
        (self.table.len(), self.sum)
    }
}

fn sum(table: &[u8]) -> u64 {
    let sum = table.iter().step_by(PAGE);
    black_box(sum.fold(0, |sum, &byte| sum + u64::from(byte)))
}

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let bytes = effort.count(BYTES);
    let row = |variant: &str, title: &str| Row {
        id: "P5s",
        variant: variant.to_owned(),
        title: title.to_owned(),
        unit: "MiB",
        reach: Reach::AtMost(1.0),
        ours: Box::new(|| bail!("each row has its own")),
        limit: constant(A_BEE),
        peers: Vec::new(),
    };
    let time = |bees: usize| Row {
        unit: "ms",
        reach: Reach::AtMost(1.5),
        ours: Box::new(move || Ok(ready(bytes, bees)?.taken)),
        limit: Box::new(move || shared::copy(bytes)),
        ..row(
            &format!("{bees} bees"),
            "a blob of 1 GiB that bees are made of, until each bee is ready and has read every page; against one copy of it \
             in this process",
        )
    };
    let memory = Row {
        reach: Reach::AtMost(1.1),
        ours: Box::new(move || {
            let ready = ready(bytes, BEES)?;
            Ok(ready.sample(ready.grown as f64 / MIB))
        }),
        limit: constant(bytes as f64 / MIB),
        ..row(
            "memory, 8 bees",
            "by how much all processes of a hive together have grown then, shared pages counted once; against the blob",
        )
    };
    let beside = Row {
        ours: Box::new(move || {
            let ready = ready(bytes, BEES)?;
            let beside = ready.grown as f64 - bytes as f64;
            Ok(ready.sample(beside / BEES as f64 / MIB))
        }),
        ..row(
            "memory, each of 8 bees",
            "the same without the blob, by the bee; against 16 MiB",
        )
    };
    vec![time(2), time(8), memory, beside]
}

/// Bees that have read their table.
struct Ready {
    /// From before the hive was started.
    taken: Sample,
    /// The bytes that all processes have then, beyond what this one had before there was a table.
    grown: u64,
}

impl Ready {
    fn sample(&self, value: f64) -> Sample {
        Sample::taken(value, self.taken.whole)
    }
}

fn ready(bytes: u64, bees: usize) -> Result<Ready> {
    needs_linux()?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build()?;
    let before = proc::proportional_bytes(process::id())?;
    let table = blob_of(usize::try_from(bytes)?)?;
    let expected = (table.len(), 7 * bytes.div_ceil(PAGE as u64));
    let begun = Instant::now();
    let run = hive_of::<Reader>(table).processes(bees);
    let run = run.run(async |hive| {
        let pids = made(&hive, bees).await?;
        let taken = Sample::taken_in(begun);
        let found = hive.found().await?;
        ensure!(found == expected, "a bee has found {found:?}");
        let all = pids.into_iter().chain([process::id()]);
        let after = all.map(proc::proportional_bytes).sum::<Result<u64>>()?;
        let grown = after.checked_sub(before).context("memory was given back")?;
        anyhow::Ok(Ready { taken, grown })
    });
    runtime.block_on(run).context("failed to run the hive")
}

/// Waits until so many bees are made, and tells which processes they are.
async fn made(hive: &Hive<Reader>, bees: usize) -> Result<Vec<u32>> {
    let ready = |bee: &BeeStatus| bee.state == BeeState::Ready;
    loop {
        let all = hive.bees().await;
        if all.len() == bees && all.iter().all(ready) {
            let pids = all.iter().map(|bee| bee.pid);
            return pids.collect::<Option<_>>().context("a bee is no process");
        }
        tokio::time::sleep(LOOK).await;
    }
}
