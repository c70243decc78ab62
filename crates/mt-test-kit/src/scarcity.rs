//! A system that has little to give: no thread, no descriptor, no memory.

use rustix::{
    process::{Resource, Rlimit, Uid, getrlimit, getuid, setrlimit},
    thread::set_thread_uid,
};

use crate::alone;

/// Nobody, as whom a limit on processes binds; it does not bind root.
const NOBODY: u32 = 65534;

/// Runs a test in a process of its own, in which nothing was started before, as somebody whom limits bind.
pub fn alone_and_bound(name: &str, test: impl FnOnce()) {
    alone(name, || {
        if getuid().is_root() {
            set_thread_uid(Uid::from_raw(NOBODY)).unwrap();
        }
        test();
    });
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
