//! What P3 and P4 measure: delegates of a task that does nothing.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use mt_beehive::{Dispatch, Hive, Population, TaskResult, hive_of};

use crate::{
    measure::{Load, Pace, Sample, median_rate},
    tasks::{Echoer, EchoerTasks},
};

/// A hive to be measured.
pub(super) struct Delegates {
    pub(super) dispatch: Dispatch,
    pub(super) bees: usize,
}

/// What a row's variant is called.
pub(super) fn dispatch_name(dispatch: Dispatch) -> &'static str {
    match dispatch {
        Dispatch::Auction => "auction",
        Dispatch::Credit => "credit",
    }
}

impl Delegates {
    /// The median time of one delegate while there is no other.
    pub(super) fn one_at_a_time(&self, load: Load) -> Result<Sample> {
        self.reign(async |hive| {
            let begun = Instant::now();
            let mut times = Vec::with_capacity(load.items as usize);
            for n in 0..load.total() {
                let asked = Instant::now();
                let (result, _) = hive.same(n).await;
                let time = asked.elapsed();
                ensure!(result == TaskResult::Succeeded(n), "{n}: {result:?}");
                if n >= load.warm_up {
                    times.push(time);
                }
            }
            Ok(median_rate(times, begun))
        })
    }

    /// So many delegates at once, all the time.
    pub(super) fn many_at_once(&self, load: Load, in_flight: usize) -> Result<Sample> {
        self.reign(async |hive| {
            let mut pace = Pace::start(load);
            let tasks = stream::iter(0..load.total()).map(|n| hive.same(n));
            let mut ended = tasks.buffer_unordered(in_flight);
            let mut sum = 0_u64;
            while let Some((result, _)) = ended.next().await {
                let value = result.ok().map_err(anyhow::Error::msg)?;
                sum = sum.wrapping_add(value);
                pace.add(1);
            }
            ensure!(sum == load.sum(), "the bees returned other values");
            pace.finish()
        })
    }

    fn reign<T>(&self, task: T) -> Result<Sample>
    where
        T: AsyncFnOnce(&Hive<Echoer>) -> Result<Sample>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let hive = hive_of::<Echoer>(())
            .population(Population::Fixed(self.bees))
            .dispatch(self.dispatch);
        let run = hive.run(async |hive| task(&hive).await);
        runtime.block_on(run).context("failed to run the hive")?
    }
}
