//! Workers that have no turn on a processor, because others have them all.
//!
//! Needs a processor group (v1) of its own to be made in, and says so where that is not allowed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use mt_pool::supervision::LivenessPolicy;

use crate::prelude::*;

const ALL: &str = "/sys/fs/cgroup/cpu";

/// A group whose processes have a millisecond a second, all together.
struct Slow(PathBuf);

impl Slow {
    fn make() -> Option<Self> {
        let group = Path::new(ALL).join(format!("mt-pool-test-{}", std::process::id()));
        fs::create_dir(&group).ok()?;
        let slow = Self(group);
        for (limit, microseconds) in [("cfs_period_us", 1_000_000), ("cfs_quota_us", 1000)] {
            let file = slow.0.join(format!("cpu.{limit}"));
            fs::write(file, u32::to_string(&microseconds)).ok()?;
        }
        Some(slow)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        // Its last process may not have left it yet.
        wait_until(|| fs::remove_dir(&self.0).is_ok());
    }
}

fn move_to(group: &Path) {
    fs::write(group.join("cgroup.procs"), std::process::id().to_string()).unwrap();
}

/// Computes for two seconds in that group, where its process has two turns.
#[task]
fn has_no_turn(group: PathBuf) -> u32 {
    let start = Instant::now();
    move_to(&group);
    while start.elapsed() < Duration::from_secs(2) {
        std::hint::spin_loop();
    }
    move_to(Path::new(ALL));
    std::process::id()
}

/// Case 17: A worker that others leave no turn on a processor is waited for, however short the time it has to beat.
#[test_with(alone)]
fn a_worker_that_has_no_turn_is_waited_for() {
    let Some(slow) = Slow::make() else {
        return eprintln!("not tried: there is no group to be made here");
    };
    let run = asyn_pmap::<has_no_turn>([slow.0.clone()]).processes(1);
    let watched = WorkerOptions::new().liveness(LivenessPolicy {
        starved_checks: u32::MAX,
        ..beats(10, 5)
    });
    let report = complete(run.workers(watched).crash_limit(1), 1);
    assert_eq!(report.failed(), [0; 0], "{:?}", report.deaths());
    assert_eq!(report.stats.workers_started, 1);
}
