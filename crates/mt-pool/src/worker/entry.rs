//! What `init()` does in a process that was started as a worker.

use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use super::{
    link, panic,
    role::{NotSetUp, RoleWork},
    runtime::end_runtime,
    trace,
};

const DONE: i32 = 0;
const NOT_DONE: i32 = 70;

/// Works until the parent says die, and exits. Never returns to the program's `main`.
pub(crate) fn main() -> ! {
    // A test harness may call it from several tests at once. The first one works.
    static ENTERED: AtomicBool = AtomicBool::new(false);
    if ENTERED.swap(true, Ordering::AcqRel) {
        park();
    }
    mt_ipc::start_clean();
    // Called in a `#[tokio::main]`: a thread of a runtime can't drive the one that works need.
    if tokio::runtime::Handle::try_current().is_ok() {
        let main = thread::Builder::new().name("mt-main".into());
        if main.spawn(|| work()).is_err() {
            process::exit(NOT_DONE);
        }
        park();
    }
    work()
}

/// Leaves the process to another thread, which ends it.
fn park() -> ! {
    loop {
        thread::park();
    }
}

fn work() -> ! {
    panic::install_hook();
    let (assign, assigned) = mpsc::sync_channel::<RoleWork>(1);
    let link = thread::Builder::new()
        .name("mt-link".into())
        .spawn(move || {
            trace::mute_this_thread();
            let working = Arc::new(AtomicBool::new(false));
            let begun = Arc::clone(&working);
            let end = catch_unwind(AssertUnwindSafe(|| {
                link::run(move |work| {
                    begun.store(true, Ordering::Relaxed);
                    let _ = assign.send(work);
                })
            }));
            match end {
                Ok(Ok(())) => return,
                Ok(Err(why)) => {
                    tracing::debug!(why, "the connection to the parent ended");
                }
                Err(_) => tracing::error!("the link to the parent panicked"),
            }
            // The user's code may be anywhere, and nobody waits for it any more. What it has
            // started must not outlive it when there is no parent left to see to that.
            if working.load(Ordering::Relaxed) {
                mt_ipc::end_worker();
            }
            process::exit(NOT_DONE);
        });
    let Ok(link) = link else {
        process::exit(NOT_DONE)
    };
    // Without any assignment the link has failed and ends the process.
    let mut code = NOT_DONE;
    while let Ok(work) = assigned.recv() {
        code = match panic::caught(work) {
            Ok(Ok(())) => DONE,
            Ok(Err(NotSetUp)) => NOT_DONE,
            Err(panic) => {
                // Among the last words, which are told with the death.
                let _ = writeln!(io::stderr(), "the worker's role {panic}");
                NOT_DONE
            }
        };
    }
    if let Err(panic) = panic::caught(end_runtime) {
        tracing::error!(%panic, "a task that was left behind panicked when it was dropped");
    }
    let _ = link.join();
    mt_ipc::end_descendants();
    process::exit(code)
}
