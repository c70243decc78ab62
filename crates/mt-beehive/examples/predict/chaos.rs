//! Kills worker bees while they work.

use std::{collections::BTreeSet, convert::Infallible, future, time::Duration};

use mt_beehive::{Hive, stats::BeeState};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use tokio::time::sleep;

use crate::{clerk::Clerk, progress::Progress};

/// How often it looks for somebody to kill when there is nobody.
const LOOK: Duration = Duration::from_millis(1);

/// When to kill, and what says whom.
#[derive(Debug)]
pub(crate) struct Chaos {
    /// As numbers of rows that are answered, ascending.
    points: Vec<usize>,
    /// For the dice.
    seed: u64,
}

impl Chaos {
    /// So many kills while so many rows are predicted.
    pub(crate) fn new(kills: u32, rows: usize, rng: &mut impl Rng) -> Self {
        let mut points: Vec<usize> = (0..kills).map(|_| rng.random_range(0..rows)).collect();
        points.sort_unstable();
        Self {
            points,
            seed: rng.random(),
        }
    }

    pub(crate) fn kills(&self) -> u32 {
        self.points.len() as u32
    }

    /// Kills a bee at each of the points, whatever she does. She dies with all she has begun. Never ends.
    pub(crate) async fn wreak(&self, hive: &Hive<Clerk>, progress: &Progress) -> Infallible {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut killed = BTreeSet::new();
        for &point in &self.points {
            progress.reached(point).await;
            while !kill_one(hive, &mut killed, &mut rng).await {
                sleep(LOOK).await;
            }
            progress.killed(killed.len());
        }
        future::pending().await
    }
}

/// False if all are dead, or not alive yet.
async fn kill_one(hive: &Hive<Clerk>, killed: &mut BTreeSet<u32>, rng: &mut impl Rng) -> bool {
    let mut bees = hive.bees().await;
    bees.retain(|bee| bee.state == BeeState::Ready && !killed.contains(&bee.id));
    if bees.is_empty() {
        return false;
    }
    let bee = bees.swap_remove(rng.random_range(0..bees.len()));
    bee.pid.is_some_and(kill) && killed.insert(bee.id)
}

#[cfg(unix)]
fn kill(pid: u32) -> bool {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = Pid::from_raw(pid.cast_signed());
    pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}

#[cfg(windows)]
fn kill(pid: u32) -> bool {
    let mut kill = std::process::Command::new("taskkill");
    let killed = kill.args(["/F", "/PID", &pid.to_string()]).output();
    killed.is_ok_and(|killed| killed.status.success())
}
