//! P3: one delegated task at a time, which does nothing: what the protocol costs when nothing is shared.
//! P4: 1024 of them in flight, over two bees.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use mt_beehive::{Dispatch, Hive, hive_of};

use super::{Reach, Row};
use crate::{
    Effort,
    echo::{Shape, raw_echo, round_trips},
    measure::{Load, Pace, Sample},
    tasks::{Echoer, EchoerTasks},
};

/// Enough single delegates for a median that stays where it is.
const SINGLE: Load = Load::new(2_000, 10_000);

/// Enough delegates in flight for a run of half a second and more.
const MANY: Load = Load::new(20_000, 200_000);

pub(super) fn rows(effort: Effort) -> Vec<Row> {
    let (few, many) = (effort.load(SINGLE), effort.load(MANY));
    let single = |variant: &str, dispatch, trips: f64| {
        Row {
        id: "P3",
        variant: variant.to_owned(),
        title: "delegate, no-op, one at a time, 1 bee: the median of single calls, as calls a second; against the \
                round trip of a byte through tokio and a socket pair"
            .to_owned(),
        unit: "k calls/s",
        reach: Reach::AtLeast(1.0 / trips),
        ours: Box::new(move || one_at_a_time(dispatch, few)),
        limit: Box::new(move || round_trips(few)),
        peers: Vec::new(),
    }
    };
    let crowd = |variant: &str, dispatch, reach| Row {
        id: "P4",
        variant: variant.to_owned(),
        title: "delegate, no-op, 1024 in flight, 2 bees; against the raw echo of one a frame"
            .to_owned(),
        unit: "M tasks/s",
        reach: Reach::AtLeast(reach),
        ours: Box::new(move || many_at_once(dispatch, 1024, many)),
        limit: Box::new(move || raw_echo(many, Shape::MESSAGES)),
        peers: Vec::new(),
    };
    vec![
        single("auction", Dispatch::Auction, 3.0),
        single("credit", Dispatch::Credit, 1.5),
        crowd("auction", Dispatch::Auction, 2.0),
        crowd("credit", Dispatch::Credit, 2.5),
    ]
}

/// The median time of one delegate while there is no other.
fn one_at_a_time(dispatch: Dispatch, load: Load) -> Result<Sample> {
    in_hive(1, dispatch, async |hive| {
        let begun = Instant::now();
        let mut times = Vec::with_capacity(load.items as usize);
        for n in 0..load.total() {
            let asked = Instant::now();
            let result = hive.same(n).await;
            let time = asked.elapsed();
            ensure!(result == Ok(n), "{n}: {result:?}");
            if n >= load.warm_up {
                times.push(time);
            }
        }
        Ok(Sample::of_median(times, begun, Duration::from_millis(1)))
    })
}

/// So many delegates at once, all the time.
fn many_at_once(dispatch: Dispatch, in_flight: usize, load: Load) -> Result<Sample> {
    in_hive(2, dispatch, async |hive| {
        let mut pace = Pace::start(load);
        let tasks = stream::iter(0..load.total()).map(|n| hive.same(n));
        let mut ended = tasks.buffer_unordered(in_flight);
        let mut sum = 0_u64;
        while let Some(result) = ended.next().await {
            sum = sum.wrapping_add(result?);
            pace.add(1);
        }
        pace.finish(sum)
    })
}

fn in_hive<T>(bees: usize, dispatch: Dispatch, task: T) -> Result<Sample>
where
    T: AsyncFnOnce(&Hive<Echoer>) -> Result<Sample>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let hive = hive_of::<Echoer>(()).processes(bees);
    let run = hive.dispatch(dispatch).run(async |hive| task(&hive).await);
    runtime.block_on(run).context("failed to run the hive")
}
