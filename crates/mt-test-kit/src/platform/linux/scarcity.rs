//! A system that has little to give: no thread, no descriptor, no memory.

use std::fs;

use rustix::{
    process::{Resource, Rlimit, Uid, getrlimit, getuid, setrlimit},
    thread::set_thread_uid,
};

use crate::alone;

/// A user with no rights, whom a limit on processes binds; it does not bind root.
pub const NOBODY: u32 = 65534;

/// Whether this user may become another, without which a test is not tried.
pub fn is_root() -> bool {
    let root = getuid().is_root();
    if !root {
        eprintln!("not tried: only root can become another user");
    }
    root
}

/// Runs a test in a process of its own, in which nothing was started before, as somebody whom limits bind.
pub fn alone_and_bound(name: &str, test: impl FnOnce()) {
    alone(name, || {
        if getuid().is_root() {
            set_thread_uid(Uid::from_raw(NOBODY)).unwrap();
        }
        test();
    });
}

/// Has `work` tell why it fails, if it does, while this process and those that it starts may use hardly more memory than
/// this one has: with too little, the reason names the limit.
pub fn with_little_memory(mut work: impl FnMut(Resource, u64) -> Option<String>) {
    for (resource, place, option) in [
        (Resource::As, 0, "ulimit -v"),
        (Resource::Data, 5, "ulimit -d"),
    ] {
        let statm = fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.trim().split(' ').nth(place).unwrap().parse().unwrap();
        for spare in [0, 1, 4, 16, 64, 256].map(|mebibytes| mebibytes << 20) {
            let why = work(resource, pages * 4096 + spare);
            let is_told = why.as_ref().is_some_and(|why| why.contains(option));
            assert!(spare > 16 << 20 || is_told, "{spare}: {why:?}");
        }
    }
}

/// Runs this while no thread can be started. See [`alone_and_bound`].
pub fn without_threads<R>(code: impl FnOnce() -> R) -> R {
    with_at_most(Resource::Nproc, 0, code)
}

/// Runs this while this process, and those that it starts, may use so much of something.
pub fn with_at_most<R>(resource: Resource, most: u64, code: impl FnOnce() -> R) -> R {
    let before = getrlimit(resource);
    let low = Rlimit {
        current: Some(most),
        ..before
    };
    setrlimit(resource, low).unwrap();
    let result = code();
    setrlimit(resource, before).unwrap();
    result
}
