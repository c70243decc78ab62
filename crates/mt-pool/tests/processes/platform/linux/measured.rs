//! What workers are as processes: how much they give way, and what they may take.

use std::{fs, process::Command};

use mt_pool::limits::Resource;
use rustix::process::{getpriority_process, getrlimit, setpriority_process};

use crate::prelude::*;

/// What is seen of a worker, and the process.
type Seen = (i32, u32);

/// The niceness of the worker's thread, which is that of a program that it starts and of its other threads.
#[task]
fn niceness(_: u64) -> Seen {
    let own = getpriority_process(None).unwrap();
    let of_program = Command::new("nice").output().unwrap().stdout;
    assert_eq!(of_program, format!("{own}\n").as_bytes());
    for thread in fs::read_dir("/proc/self/task").unwrap() {
        let stat = fs::read_to_string(thread.unwrap().path().join("stat")).unwrap();
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

/// The most open files and the longest core dump of a worker and of a program that it starts, and the process.
#[task]
fn limits(_: u64) -> (Option<u64>, Option<u64>, u32) {
    use rustix::process::Resource::{Core, Nofile};
    let of_program = Command::new("sh").args(["-c", "ulimit -n"]).output();
    let [files, core] = [Nofile, Core].map(|resource| getrlimit(resource).current);
    let expected = files.map(|files| format!("{files}\n").into_bytes());
    assert_eq!(Some(of_program.unwrap().stdout), expected);
    (files, core, std::process::id())
}

fn limited(resource: Resource, value: u64) -> WorkerOptions {
    restarts(0).limit(resource, value)
}

/// Case M189: Workers have the limits they are given, the first ones and those that replace them, and a pool uses them again
/// for runs that give the same.
#[test_with(alone)]
fn workers_have_the_limits_they_are_given() {
    let few = limited(Resource::CoreBytes, 0).limit(Resource::OpenFiles, 100);
    let run = asyn_pmap::<limits>(0..3).recycle(Recycle::new().after_items(1));
    for seen in values(run.processes(1).workers(few.clone())) {
        assert_eq!((seen.0, seen.1), (Some(100), Some(0)));
    }

    let pool = Pool::builder().processes(3).start().unwrap();
    let seen = |options: &WorkerOptions| {
        let run = asyn_pmap::<limits>([0]).pool(&pool);
        values(run.workers(options.clone())).remove(0)
    };
    let first = seen(&few);
    let more = seen(&few.clone().limit(Resource::OpenFiles, 200));
    assert!(more.0 == Some(200) && more.2 != first.2);
    // Other words for the same.
    let same = limited(Resource::OpenFiles, 100).limit(Resource::CoreBytes, 7);
    assert_eq!(seen(&same.limit(Resource::CoreBytes, 0)), first);
}

/// Writes 2 MiB to a file, or uses the processor for ever.
#[task]
fn takes_much(file: Option<std::path::PathBuf>) -> u64 {
    if let Some(file) = file {
        return fs::write(file, vec![1; 2 << 20]).map_or(0, |()| 1);
    }
    loop {
        std::hint::spin_loop();
    }
}

/// Case M190: A death by a limit on processor time or on the size of files says so.
#[test_with(in_folder)]
fn deaths_by_limits_are_told(folder: Folder) {
    for (resource, file, signal, told) in [
        (
            Resource::CpuSeconds,
            None,
            24,
            "(SIGXCPU: the limit on its processor time)",
        ),
        (
            Resource::FileBytes,
            Some(folder.file("long")),
            25,
            "(SIGXFSZ: the limit on the size of its files)",
        ),
    ] {
        let limit = if file.is_some() { 1 << 20 } else { 1 };
        let workers = limited(resource, limit).limit(Resource::CoreBytes, 0);
        let run = asyn_pmap::<takes_much>([file]).processes(1).crash_limit(1);
        let report = complete(run.workers(workers), 1);
        let death = report.crash(0).0;
        assert_eq!(death.exit.signal, Some(signal));
        assert!(death.to_string().contains(told), "{death}");
    }
}

/// Case M191: A worker that can't work within its limits says why, and a limit that is not this process's to give is refused.
#[test_with(alone)]
fn limits_that_leave_no_room_are_told() {
    for (resource, value) in [
        (Resource::OpenFiles, 3),
        (Resource::AddressSpaceBytes, 16 << 20),
        (Resource::DataBytes, 1 << 20),
    ] {
        let run = asyn_pmap::<limits>([0]).workers(limited(resource, value));
        let report = complete(run.processes(1), 1);
        let why = report.error(0).to_string();
        assert!(why.contains("its last words:\n"), "{resource:?}: {why}");
    }
    let mut own = getrlimit(rustix::process::Resource::Nofile);
    own.maximum = own.current;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, own).unwrap();
    let beyond = limited(Resource::OpenFiles, own.current.unwrap() + 1);
    let (option, problem) = refused(asyn_pmap::<limits>([0]).workers(beyond).start());
    assert_eq!(option, "workers.limit");
    assert!(problem.starts_with("of OpenFiles is more"), "{problem}");
}
