//! Telling a worker process from the program it is a copy of.

use std::{
    ffi::OsString,
    sync::atomic::{AtomicBool, Ordering},
};

use mt_ipc::{WorkerCommand, WorkerStdout};

use crate::{StartError, worker};

static INITIALISED: AtomicBool = AtomicBool::new(false);
/// Set in a worker process that has gone through [`init`].
static IN_WORKER: AtomicBool = AtomicBool::new(false);

/// Turns this process into a worker if it was started as one; returns at once otherwise.
///
/// Has to be the first thing `main` does: a worker is the same program, started again, and it must
/// not do what comes after this line. [`#[main]`](macro@crate::main) does it for you. In a test binary
/// write [`test_worker!`](crate::test_worker!) instead.
///
/// Call it before there is a runtime: in a `#[tokio::main]` it works too, but each worker then starts, and never
/// uses, the threads of that runtime.
///
/// In a worker process this never returns. It is the seed's `worker_process`, with what that gets as
/// arguments already there: the connection to the parent is standard input, the function is looked up
/// by the name the parent sends, works come in and outcomes go out over the same connection, and what
/// happens is logged with `tracing`. The heartbeats mean what they mean there
/// ([`mt_proto::Beat`]): from the parent 0 for "I live" and 1 for "finish and die", from the worker 0 for
/// "I live", every 0.5 s by default ([`LivenessPolicy`](crate::supervision::LivenessPolicy)). (A worker's 1, "interrupted",
/// is never sent: it is in a process group of its own, so Ctrl-C comes to the parent alone.) They come
/// from a thread of their own, so they tell nothing about how long a work takes; and the death of either
/// side is noticed at once, without them. A work that fails is an outcome and not the worker's end.
#[doc(alias = "worker_process")]
#[doc(alias = "heartbeat_pipe")]
pub fn init() {
    if mt_ipc::is_worker_process() {
        IN_WORKER.store(true, Ordering::Release);
        worker::main();
    }
    INITIALISED.store(true, Ordering::Release);
}

/// A test that is the workers' entrance to a test binary, submitted by
/// [`test_worker!`](crate::test_worker!).
#[derive(Debug)]
pub struct TestEntry {
    /// The path of the module it is in, as `module_path!()` gives it.
    pub module_path: &'static str,
}

inventory::collect!(TestEntry);

/// Lets the tests of this test binary start workers. Write it once in the file, at its top level.
///
/// The harness of `cargo test` and of nextest has a `main` of its own, so there is nowhere to call
/// [`init`]. This adds a test named `mt_pool_worker` that workers are started with; run as a test, it
/// does nothing.
///
/// ```
/// mt_pool::test_worker!();
///
/// #[mt_pool::task]
/// fn double(n: u64) -> u64 {
///     2 * n
/// }
///
/// // Under `#[test]`:
/// fn doubles() {
///     let run = mt_pool::asyn_pmap::<double>([1, 2]).start().unwrap();
///     assert_eq!(run.into_iter().map(Result::unwrap).sum::<u64>(), 6);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! test_worker {
    () => {
        #[cfg(test)]
        $crate::__private::inventory::submit! {
            $crate::__private::TestEntry { module_path: ::core::module_path!() }
        }

        #[cfg(test)]
        #[test]
        fn mt_pool_worker() {
            if $crate::__private::is_worker_process() {
                $crate::init();
            }
        }
    };
}

/// Whether this process is a worker that has gone through [`init`].
pub(crate) fn is_worker() -> bool {
    IN_WORKER.load(Ordering::Acquire)
}

/// How a worker of this program is started.
///
/// # Errors
/// [`StartError`] when it would not know that it is one.
pub(crate) fn own_command() -> Result<WorkerCommand, StartError> {
    let mut command = WorkerCommand::default();
    if INITIALISED.load(Ordering::Acquire) {
        return Ok(command);
    }
    if is_worker() {
        // A run inside a task. What has brought this process to `init` will bring its workers there.
        command.args = mt_ipc::own_args().collect();
        return Ok(command);
    }
    if mt_ipc::is_worker_process() {
        return Err(StartError::InWorker);
    }
    let entry = inventory::iter::<TestEntry>.into_iter().next();
    let entry = entry.ok_or(StartError::NotInitialised)?;
    // The harness knows tests without the name of their crate.
    let test = match entry.module_path.split_once("::") {
        Some((_, path)) => format!("{path}::mt_pool_worker"),
        None => "mt_pool_worker".to_owned(),
    };
    command.args = [test.as_str(), "--exact", "--nocapture", "--test-threads=1"]
        .map(OsString::from)
        .to_vec();
    // The harness prints its own lines, which nobody wants a worker's copy of.
    command.stdout = WorkerStdout::Null;
    Ok(command)
}
