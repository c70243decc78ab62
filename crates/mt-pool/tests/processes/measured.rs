//! What workers are as processes: how much they give way.

use std::process::Command;

use rustix::process::{getpriority_process, setpriority_process};

use crate::prelude::*;

/// What is seen of a worker, and the process.
type Seen = (i32, u32);

/// The niceness of the worker's thread, which is that of a program that it starts and of its other threads.
#[task]
fn niceness(_: u64) -> Seen {
    let own = getpriority_process(None).unwrap();
    let of_program = Command::new("nice").output().unwrap().stdout;
    assert_eq!(of_program, format!("{own}\n").as_bytes());
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let stat = std::fs::read_to_string(thread.unwrap().path().join("stat")).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        let nice = fields.split_ascii_whitespace().nth(16);
        assert_eq!(nice, Some(own.to_string().as_str()));
    }
    (own, std::process::id())
}

fn nice(niceness: u8) -> WorkerOptions {
    WorkerOptions::new().niceness(niceness)
}

/// Case M181: Workers have the niceness they are given, the first ones and those that replace them, and a pool uses them
/// again for runs that give the same.
#[test_with(alone)]
fn workers_give_way_as_they_are_told() {
    let run = asyn_pmap::<niceness>(0..3).recycle(Recycle::new().after_items(1));
    let all = values(run.processes(1).workers(nice(7)));
    assert!(all.iter().all(|seen| seen.0 == 7), "{all:?}");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);

    let pool = Pool::builder().processes(3).start().unwrap();
    let seen = |options: WorkerOptions| {
        let run = asyn_pmap::<niceness>([0]).pool(&pool);
        values(run.workers(options)).remove(0)
    };
    let (own, first) = seen(WorkerOptions::new());
    assert_eq!(own, getpriority_process(None).unwrap());
    let nicer = seen(nice(12));
    assert!(nicer.0 == 12 && nicer.1 != first);
    assert_eq!(seen(nice(12)), nicer);
    assert_eq!(seen(WorkerOptions::new()), (own, first));
}

/// Case M182: A niceness that is none, or less than this process's own, is refused.
#[test_with(alone)]
fn what_would_take_rights_is_refused() {
    setpriority_process(None, 19).unwrap();
    for (level, problem) in [
        (20, "is 20, not 0 to 19"),
        (
            18,
            "is 18, and that of this process is 19, which is the least",
        ),
    ] {
        let run = asyn_pmap::<niceness>([0]).workers(nice(level));
        assert_eq!(
            refused(run.start()),
            ("workers.niceness", problem.to_owned())
        );
    }
    assert_eq!(
        values(asyn_pmap::<niceness>([0]).workers(nice(19)))[0].0,
        19
    );
}
