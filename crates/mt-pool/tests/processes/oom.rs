//! A container that has no memory left: the system kills a worker, and the pool knows why.
//!
//! Needs a memory group of its own to be made in, and says so where that is not allowed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::prelude::*;

const LIMIT: u64 = 96 << 20;

#[task]
fn uses(mebibytes: usize) -> usize {
    let mut memory = vec![0_u8; mebibytes << 20];
    for page in memory.iter_mut().step_by(4096) {
        *page = 1;
    }
    std::hint::black_box(&memory).len() >> 20
}

/// A memory group that this process is in as long as it lives.
struct Container {
    group: PathBuf,
    home: PathBuf,
}

impl Container {
    fn enter() -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = |line: &str| line.split_once(":memory:").map(|(_, path)| path.to_owned());
        let v1 = own.lines().find_map(path);
        let v2 = own.lines().find_map(|line| line.strip_prefix("0::"));
        let (home, path, limit) = match v1 {
            Some(path) => ("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"),
            None => ("/sys/fs/cgroup", v2?.to_owned(), "memory.max"),
        };
        let home = PathBuf::from(format!("{home}{path}"));
        let group = home.join(format!("mt-pool-test-{}", std::process::id()));
        fs::create_dir(&group).ok()?;
        let container = Self { group, home };
        container.write(limit, LIMIT)?;
        // Without swap, or there is no limit.
        let _ = container.write("memory.swap.max", 0);
        move_to(&container.group)?;
        Some(container)
    }

    fn write(&self, file: &str, number: u64) -> Option<()> {
        let path = self.group.join(file);
        path.exists().then_some(())?;
        fs::write(path, number.to_string()).ok()
    }
}

fn move_to(group: &Path) -> Option<()> {
    fs::write(group.join("cgroup.procs"), std::process::id().to_string()).ok()
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = move_to(&self.home);
        let _ = fs::remove_dir(&self.group);
    }
}

#[test_with(alone)]
fn the_system_kills_a_worker_and_the_item_says_so() {
    let Some(_container) = Container::enter() else {
        eprintln!("not tried: no memory group can be made here");
        return;
    };
    let sizes = (0..20).map(|n| if n == 7 { 400 } else { 1 });
    let run = asyn_pmap::<uses>(sizes).processes(1);
    let memory = MemoryLimits::new().oom_retries(2).pause_above(None);
    let report = complete(run.memory(memory), 20);
    assert_eq!(report.failed(), [7]);
    assert_is!(
        *report.kind(7),
        TaskErrorKind::MemoryExceeded {
            limit_bytes: None,
            attempts: 3,
            ..
        }
    );
    let deaths = report.deaths();
    assert_eq!(deaths.len(), 3);
    assert!(
        deaths
            .iter()
            .all(|death| death.cause == DeathCause::OutOfMemory)
    );
}
