//! What `init()` does in a process that was started as a worker.

use std::{
    fmt, io, process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use mt_ipc::{AttachError, Inherited, NOT_STARTED, Unconnected};
use mt_proto::guarded;

use super::{
    link, panic,
    role::{self, NotSetUp, RoleWork},
    runtime::{end_runtime, runtime},
    slot, stdout, trace,
};
use crate::{registry, supervision::LINK};

const DONE: i32 = 0;

/// Works until the parent says die, and exits. Never returns to the program's `main`.
pub(crate) fn main() -> ! {
    // A test harness may call it from several tests at once. The first one works.
    static ENTERED: AtomicBool = AtomicBool::new(false);
    if ENTERED.swap(true, Ordering::AcqRel) {
        assert!(
            !panic::is_user_thread(),
            "`init()` is called by a task, in a worker process, which it would never come back in: call it in `main`"
        );
        park();
    }
    mt_ipc::start_clean();
    let mut inherited = match Inherited::take_over() {
        Ok(inherited) => inherited,
        Err(AttachError::ParentGone) => process::exit(NOT_STARTED),
        Err(error) => give_up("it has not started", &error),
    };
    // First of all: the parent answers while the threads are made that wait for that.
    inherited.say_hello(registry::fingerprint());
    slot::keep(inherited.slot());
    let capture = inherited.take_capture();
    stdout::start(capture)
        .unwrap_or_else(|error| give_up("no thread for the standard output", &error));
    let (stack, keeps) = (inherited.stack_bytes(), inherited.keeps_descriptors());
    let (connection, guard) = inherited.into_parts();
    let link = Link::start(connection)
        .unwrap_or_else(|error| give_up("no thread for the connection", &error));
    // Never on this thread. It may be a runtime's, which can't drive the one that works need, and has the stack it has.
    // As the process's first it gets all children that are adopted, and none of a task's own as long as no task is here.
    let main = thread::Builder::new().name("mt-main".into());
    let main = main.stack_size(usize::try_from(stack).unwrap_or(usize::MAX));
    if let Err(error) = main.spawn(move || work(link, keeps)) {
        give_up(&format!("no thread with a stack of {stack} bytes"), &error);
    }
    // So it is of use for what only waits.
    let _ = guarded(|| guard.watch());
    park()
}

/// Leaves the process to another thread, which ends it.
fn park() -> ! {
    loop {
        thread::park();
    }
}

/// Ends the process before it has begun, with a word on why: among the last words, which are told with the death.
fn give_up(what: &str, why: &dyn fmt::Display) -> ! {
    panic::say(format_args!(
        "this worker process can't work: {what}: {why}"
    ));
    process::exit(NOT_STARTED)
}

/// What comes from the link's thread.
struct Link {
    assigned: mpsc::Receiver<RoleWork>,
    /// Told when all is sent and nothing more comes.
    ended: mpsc::Receiver<()>,
}

impl Link {
    fn start(connection: Unconnected) -> io::Result<Self> {
        let (assign, assigned) = mpsc::sync_channel::<RoleWork>(1);
        let (end, ended) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name(LINK.into());
        thread.spawn(move || {
            move_frames(connection, assign);
            let _ = end.send(());
        })?;
        Ok(Self { assigned, ended })
    }

    fn end(self, code: i32) -> ! {
        let _ = self.ended.recv();
        mt_ipc::end_descendants();
        process::exit(code)
    }
}

fn move_frames(connection: Unconnected, assign: mpsc::SyncSender<RoleWork>) {
    trace::mute_this_thread();
    let working = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&working);
    let end = guarded(|| {
        link::run(connection, move |work| {
            begun.store(true, Ordering::Relaxed);
            let _ = assign.send(work);
        })
    });
    match end {
        Ok(Ok(())) => return,
        Ok(Err(why)) => {
            if why != role::HUNG_UP && !working.load(Ordering::Relaxed) {
                give_up("it has not started", &why);
            }
            if why != role::HUNG_UP {
                // Among the last words, which are told with the death.
                panic::say(format_args!("this worker process ends: {why}"));
            }
            tracing::debug!(why, "the connection to the parent ended");
        }
        Err(_) => tracing::error!("the link to the parent panicked"),
    }
    // The user's code may be anywhere, and nobody waits for it any more. What it has
    // started must not outlive it when there is no parent left to see to that.
    if working.load(Ordering::Relaxed) {
        mt_ipc::hang_up();
    }
    process::exit(NOT_STARTED);
}

/// Does what is assigned, on the thread that is to run the user's code.
fn work(link: Link, keeps_descriptors: bool) -> ! {
    // All of this while the assignment is on its way.
    if !keeps_descriptors {
        mt_ipc::close_inherited();
    }
    link::watch_work_thread();
    panic::install_hook();
    // One that can't be made is told of where it is needed.
    let _ = runtime();
    // Without any assignment the link has failed and ends the process.
    let mut code = NOT_STARTED;
    while let Ok(work) = link.assigned.recv() {
        code = match panic::caught(work) {
            Ok(Ok(())) => DONE,
            Ok(Err(NotSetUp)) => NOT_STARTED,
            Err(panic) => {
                // Among the last words, which are told with the death.
                panic::say(format_args!("the worker's role {panic}"));
                NOT_STARTED
            }
        };
    }
    if let Err(panic) = panic::caught(end_runtime) {
        tracing::error!(%panic, "a task that was left behind panicked when it was dropped");
    }
    link.end(code)
}
