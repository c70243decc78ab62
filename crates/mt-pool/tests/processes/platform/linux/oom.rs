//! A container that has no memory left: the system kills a worker, and the pool knows why.
//!
//! Needs a memory group of its own to be made in, and says so where that is not allowed.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Command,
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
    fn enter(limit_bytes: u64) -> Option<Self> {
        let container = Self::make("", limit_bytes)?;
        move_to(&container.group)?;
        Some(container)
    }

    /// One that this process is not in.
    fn make(name: &str, limit_bytes: u64) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = |line: &str| line.split_once(":memory:").map(|(_, path)| path.to_owned());
        let v1 = own.lines().find_map(path);
        let v2 = own.lines().find_map(|line| line.strip_prefix("0::"));
        let (home, path, limit) = match v1 {
            Some(path) => ("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"),
            None => ("/sys/fs/cgroup", v2?.to_owned(), "memory.max"),
        };
        let home = PathBuf::from(format!("{home}{path}"));
        let group = home.join(format!("mt-pool-test{name}-{}", std::process::id()));
        fs::create_dir(&group).ok()?;
        let container = Self { group, home };
        container.write(limit, limit_bytes)?;
        // Without swap, or there is no limit.
        let _ = container.write("memory.swap.max", 0);
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
    let Some(_container) = Container::enter(LIMIT) else {
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

/// Case P2: Two items that need more than their control group has, at the same time, are both told so, and nobody else is.
#[test_with(alone)]
fn two_at_once_that_need_too_much() {
    let Some(_container) = Container::enter(LIMIT) else {
        eprintln!("not tried: no memory group can be made here");
        return;
    };
    let sizes = (0..20).map(|n| if n < 2 { 400 } else { 1 });
    let run = asyn_pmap::<uses>(sizes).processes(2);
    let memory = MemoryLimits::new().pause_above(None);
    let report = complete(run.memory(memory), 20);
    assert_eq!(report.failed(), [0, 1]);
    for item in [0, 1] {
        let kind = report.kind(item);
        assert_is!(
            *kind,
            TaskErrorKind::MemoryExceeded {
                limit_bytes: None,
                ..
            }
        );
    }
}

#[task]
fn reads(path: std::path::PathBuf) -> u64 {
    std::io::copy(&mut fs::File::open(path).unwrap(), &mut std::io::sink()).unwrap()
}

/// A container whose memory is full of a file's pages has room for everybody.
///
/// Case 26: A limited container that reads files runs as many items at a time as ever.
#[test_with(in_folder)]
fn files_that_are_read_often_leave_memory_for_work(folder: Folder) {
    let Some(container) = Container::enter(3 * LIMIT) else {
        eprintln!("not tried: no memory group can be made here");
        return;
    };
    let path = folder.file("large");
    fs::write(&path, vec![1; 2 * LIMIT as usize]).unwrap();
    fs::File::open(&path).unwrap().sync_all().unwrap();
    // Twice, so that its pages count as active.
    let read = asyn_pmap::<reads>([path.clone(), path]).processes(1);
    assert_eq!(
        succeeded(read.memory(MemoryLimits::new().pause_above(None))),
        2
    );
    let sleep = |_| Deed::Sleep(Duration::from_millis(20));
    let run = asyn_pmap::<act>((0..40).map(sleep)).processes(2);
    // Far below the file's part of the container's memory.
    let report = complete(run.memory(MemoryLimits::new().pause_above(0.5)), 40);
    assert_eq!(
        report.told(|event| matches!(event, PoolEvent::MemoryShort { .. })),
        0
    );
    assert_eq!(report.stats.memory_shortages, 0);
    drop(container);
}

/// Case P2: two items that use more than their container has, at once, are given up, and nothing else is.
#[test_with(alone)]
fn two_items_at_once_use_more_than_there_is() {
    let Some(_container) = Container::enter(LIMIT) else {
        eprintln!("not tried: no memory group can be made here");
        return;
    };
    let sizes = (0..20).map(|n| if [7, 8].contains(&n) { 400 } else { 1 });
    let run = asyn_pmap::<uses>(sizes).processes(2);
    let memory = MemoryLimits::new().pause_above(None);
    let report = complete(run.memory(memory), 20);
    assert_eq!(report.failed(), [7, 8]);
    for index in [7, 8] {
        assert_is!(*report.kind(index), TaskErrorKind::MemoryExceeded { .. });
    }
    let deaths = report.deaths().into_iter();
    for death in deaths.filter(|death| death.exit.signal == Some(9)) {
        assert_eq!(death.cause, DeathCause::OutOfMemory, "{death}");
    }
}

/// Case 8: a worker that is killed by somebody is not told as out of memory because the system has killed a stranger in
/// another control group for that.
#[test_with(alone)]
fn a_stranger_s_end_is_no_evidence() {
    let Some(other) = Container::make("-other", 16 << 20) else {
        eprintln!("not tried: no memory group can be made here");
        return;
    };
    let procs = other.group.join("cgroup.procs");
    let greedy = format!("echo $$ >{} && exec tail /dev/zero", procs.display());
    // Asked for by a worker that is there already.
    let stranger = iter::once_with(move || {
        let status = Command::new("sh").args(["-c", &greedy]).status().unwrap();
        assert_eq!(status.signal(), Some(9), "the system has killed it");
        Deed::Signal(9)
    });
    let before = iter::repeat_n(Deed::Return(1), 1);
    let run = asyn_pmap::<act>(before.chain(stranger).chain([Deed::Return(2)]));
    let report = complete(run.crash_limit(2).processes(1), 3);
    for death in report.deaths() {
        assert_eq!(death.cause, DeathCause::Itself);
        assert!(death.to_string().contains("signal 9 (SIGKILL)"), "{death}");
    }
    assert_eq!(report.crash(1).1, 2);
}

#[task]
fn score(_: u64) -> i32 {
    own_score()
}

/// How soon the system ends this process where there is no memory left.
fn own_score() -> i32 {
    let score = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    score.trim().parse().unwrap()
}

/// Case M212: Where there is no memory left, workers are ended before the process that they work for.
#[test]
fn workers_are_ended_first() {
    let _watchdog = watchdog("who is ended first");
    let scores = values(asyn_pmap::<score>([0]).processes(1));
    assert_eq!(scores, [(own_score() + 500).min(1000)]);
}
