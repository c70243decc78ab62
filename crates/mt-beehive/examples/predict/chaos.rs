//! Kills worker bees while they work.

use std::{cell::Cell, convert::Infallible, future};

use mt_beehive::{Hive, TaskResult};
use rand::{Rng, RngExt};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    clerk::{Clerk, ClerkTasks},
    progress::Progress,
};

/// The points of a run at which bees are killed, as numbers of rows that are answered.
pub(crate) fn points(kills: u32, rows: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut points: Vec<usize> = (0..kills).map(|_| rng.random_range(0..rows)).collect();
    points.sort_unstable();
    points
}

/// Kills a bee at each of the points: whoever answers when they are asked for their process. She dies with
/// all she has begun. Counts in `kills`, and never ends.
pub(crate) async fn wreak(
    hive: &Hive<Clerk>,
    points: Vec<usize>,
    progress: &Progress,
    kills: &Cell<u32>,
) -> Infallible {
    for point in points {
        progress.reached(point).await;
        if kill_one(hive).await {
            kills.set(kills.get() + 1);
            progress.killed(kills.get());
        }
    }
    future::pending().await
}

async fn kill_one(hive: &Hive<Clerk>) -> bool {
    let (TaskResult::Succeeded(pid), _bee) = hive.pid().await else {
        return false;
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}
