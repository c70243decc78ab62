//! Kills worker bees while they work.

use std::{cell::RefCell, collections::BTreeSet, convert::Infallible, future};

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
/// all she has begun. Writes down in `killed` who it was, and never ends.
pub(crate) async fn wreak(
    hive: &Hive<Clerk>,
    points: Vec<usize>,
    progress: &Progress,
    killed: &RefCell<BTreeSet<u32>>,
) -> Infallible {
    for point in points {
        progress.reached(point).await;
        if let Some(bee) = kill_one(hive).await {
            killed.borrow_mut().insert(bee);
            progress.killed(killed.borrow().len());
        }
    }
    future::pending().await
}

async fn kill_one(hive: &Hive<Clerk>) -> Option<u32> {
    let (TaskResult::Succeeded(pid), bee) = hive.pid().await else {
        return None;
    };
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    kill_process(pid, Signal::KILL).ok()?;
    bee
}
