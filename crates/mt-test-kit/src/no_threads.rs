//! A system that has no thread to give.

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
    let before = getrlimit(Resource::Nproc);
    let none = Rlimit {
        current: Some(0),
        ..before
    };
    setrlimit(Resource::Nproc, none).unwrap();
    let result = code();
    setrlimit(Resource::Nproc, before).unwrap();
    result
}
