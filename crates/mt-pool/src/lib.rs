//! Run a plain function, sync or async, over any stream of inputs, in supervised worker processes.
//!
//! A segfault, an abort, a stack overflow, an `exit` in the middle: nothing a task does costs more
//! than that task. Every item gets exactly one outcome, everything else goes on, and when the run is
//! over no process is left.
//!
//! # Start here
//!
//! ```
//! use mt_pool::asyn_pmap;
//!
//! #[mt_pool::task]                        // registers the function; it stays callable as ever
//! fn parse(text: String) -> Result<u32, String> {
//!     text.parse().map_err(|error| format!("{text:?}: {error}"))
//! }
//!
//! #[mt_pool::main]                        // a worker process never gets past this line
//! fn main() -> anyhow::Result<()> {
//!     let texts = ["1", "two", "3"].map(String::from);
//!     let mut sum = 0;
//!     for outcome in asyn_pmap::<parse>(texts).processes(2).start()? {
//!         match outcome {
//!             Ok(number) => sum += number,
//!             Err(error) => eprintln!("{error}"), // item 1: "two": invalid digit found in string
//!         }
//!     }
//!     assert_eq!(sum, 4);
//!     Ok(())
//! }
//! ```
//!
//! A worker is this same program, started again. [`#[main]`](macro@main), or a call of [`init()`] as
//! the first line of `main`, is where it becomes a worker. In test files write [`test_worker!`] once.
//!
//! # Tasks
//! * [`#[task]`](macro@task) on a `fn` or an `async fn`. By-value arguments are the item (several make
//!   a tuple). `#[shared] x: &T` is one value for all items, sent once to a worker. `#[context] x: &T`
//!   is made in the worker, for things that can't be sent; see [`Context`].
//! * A plain `fn` runs one at a time in its worker, outside any runtime, and may block. An `async fn`
//!   runs up to [`max_concurrency`](AsynPmap::max_concurrency) at once on one thread, inside tokio;
//!   its future needs not be `Send`.
//! * [`inline_task!`] makes a task of a closure that captures nothing, for [`asyn_pmap_with`].
//! * What crosses is [`Wire`]: `Serialize + Deserialize`; what does not, and what to do then, is said there.
//! * [`guide`] has the compile errors that newcomers meet, how libraries have tasks, and the calls of
//!   `multiprocessing`, joblib, mpire and loky beside ours.
//!
//! # Input and output
//! The input is anything iterable, or a stream by [`from_stream`]. It is pulled by a thread of its own
//! and only on credit: at most [`capacity`](AsynPmap::capacity) items are between the input and you at
//! any instant, so it may be endless, slow or blocking, and so may you. [`Pmap`] is a `Stream`, and an
//! iterator by `into_iter()`; both work inside and outside a tokio runtime. Outcomes come
//! [in order](AsynPmap::ordered) unless you say otherwise, and as soon as they can. In a [`scope()`] the input may borrow:
//! a slice is mapped without a copy of it.
//!
//! # Large data
//! A [`Blob`] is bytes that other processes map instead of being sent them: a large `#[shared]` table costs the memory
//! of one, whatever the number of workers. With the feature `ndarray` it is looked at as an array of numbers (`Blob::view`),
//! with the feature `arrow` as a table of Arrow (`Blob::record_batches`), neither of which copies anything.
//!
//! # Works by number
//! When the input is only 0, 1, 2 …: [`asyn_work_generator`](works::asyn_work_generator) runs works in worker processes, with one context
//! each and with every step told to a [`progress_queue`](works::progress_queue); [`run_asyn_works_in_context`](works::run_asyn_works_in_context) does the same in
//! this process; [`aio_work_generator`](works::aio_work_generator) runs plain futures of this process, many at once, and
//! [`serial_work_generator`](works::serial_work_generator) one after the other. [`split_works`](works::split_works) deals works out beforehand.
//! [`used_memory_too_much`](load::used_memory_too_much) and [`used_cpu_too_much`](load::used_cpu_too_much) tell when it is time to hold back.
//!
//! Such works may be driven by hand too. [`ProcessParalleliser`](works::ProcessParalleliser) takes ids
//! ([`push`](works::ProcessParalleliser::push)) and gives outcomes ([`pop`](works::ProcessParalleliser::pop)).
//! [`WorkIterator`] does the works 0, 1, 2 … for ever, a few ahead of whoever iterates; threads share
//! one, and each gets different works:
//!
//! ```
//! use mt_pool::WorkIterator;
//!
//! #[mt_pool::task]
//! fn square_root(n: u64) -> Option<u64> {     // a work may come to nothing
//!     (1..=n).find(|m| m * m == n)
//! }
//!
//! #[mt_pool::main]
//! fn main() -> anyhow::Result<()> {
//!     let roots = WorkIterator::<square_root>::builder().num_works(100).skip_null().start()?;
//!     let found = std::thread::scope(|scope| {
//!         let threads = [(); 2].map(|()| scope.spawn(|| roots.iter().filter(Result::is_ok).count()));
//!         threads.map(|thread| thread.join().unwrap()).into_iter().sum::<usize>()
//!     });
//!     assert_eq!(found, 9);
//!     Ok(())
//! }
//! ```
//!
//! A [`Counter`] in the shared value, or in an item, counts across workers: what a call adds arrives with
//! its outcome.
//!
//! # Options
//! All are methods of [`AsynPmap`], with their defaults and ranges; all are checked in
//! [`start`](AsynPmap::start), before any process exists. Those that belong together are one value of
//! [`limits`]. The seed's names can be searched for (`asyn_func_args`, `cvc_func`, …).
//!
//! | about | options |
//! |---|---|
//! | workers | [`processes`](AsynPmap::processes), [`pool`](AsynPmap::pool) (a [`Pool`] that several runs share), [`recycle`](AsynPmap::recycle), [`workers`](AsynPmap::workers) (the program, what becomes of frozen ones, their standard error, `tracing`, Ctrl-C) |
//! | time | [`deadlines`](AsynPmap::deadlines) (of items, calls, init, contexts, exit) |
//! | memory | [`memory`](AsynPmap::memory) (of a worker, of all), [`capacity`](AsynPmap::capacity), [`byte_limits`](AsynPmap::byte_limits) |
//! | trying again | [`retries`](AsynPmap::retries), [`crash_limit`](AsynPmap::crash_limit), [`keep_items`](AsynPmap::keep_items) |
//! | hooks and state | [`init`](AsynPmap::init), [`exit`](AsynPmap::exit), [`context`](AsynPmap::context), [`context_per_worker`](AsynPmap::context_per_worker) |
//! | repeatability | [`seed`](AsynPmap::seed) with [`task_rng`] |
//!
//! A run is ended from elsewhere by its [`RunHandle`]. Inside a call, [`task_index`], [`task_rng`] and
//! [`is_cancelled`] tell about the call itself, and [`worker_slot`] tells which of the workers it is in.
//!
//! # What happens when things die
//!
//! | what | outcome of the item | everything else |
//! |---|---|---|
//! | the function returns an error | [`Raised`](TaskErrorKind::Raised) | not affected |
//! | it panics | [`Panicked`](TaskErrorKind::Panicked), with message, place, call stack | the worker goes on |
//! | its worker dies (signal, abort, `exit`) | tried again alone; [`Crashed`](TaskErrorKind::Crashed) after [`crash_limit`](AsynPmap::crash_limit) deaths | what had finished stands, what had not started goes to another worker untouched, the worker is replaced |
//! | it runs past its hard deadline | [`TimedOut`](TaskErrorKind::TimedOut), when its process is gone | what else ran in that worker is run again elsewhere and not charged |
//! | it uses more memory than it may | tried again alone in a fresh worker, then [`MemoryExceeded`](TaskErrorKind::MemoryExceeded) | as above |
//! | its result does not serialise, or is too long | [`Unserialisable`](TaskErrorKind::Unserialisable), [`TooLarge`](TaskErrorKind::TooLarge) | the worker goes on |
//! | the worker gives no sign of life, or gets no further | as if it had died | it is killed, or reported; see [`LivenessPolicy`](supervision::LivenessPolicy) |
//! | it forks, and returns in the copy too | what the original returns | the copy ends where the call returns, or first waits, with a word on standard error: it has none of the worker's threads and items |
//! | its thread ends alone (the system call `exit`, seccomp) | as if its worker had died | the worker ends within two beats, and says so |
//! | the worker sends nonsense | as if it had died | it is killed; nothing it says is believed |
//! | no worker can be started or set up | [`Pool`](TaskErrorKind::Pool), with the cause | the run ends; see [`RestartBudget`](supervision::RestartBudget) |
//! | you drop the run | none | workers are killed with all they have started |
//! | [`drain`](RunHandle::drain) | what workers have is finished, the rest is [`Cancelled`](TaskErrorKind::Cancelled) | the stream ends |
//! | [`cancel`](RunHandle::cancel) | [`Cancelled`](TaskErrorKind::Cancelled), when its process is gone | the stream ends |
//! | Ctrl-C, and `SIGTERM` [where that is wanted](limits::WorkerOptions::on_terminate) | what runs is finished, the rest is [`Cancelled`](TaskErrorKind::Cancelled) | the stream ends; see [`OnSignal`] |
//! | your process is killed | none | workers end themselves, with all they have started, at once |
//!
//! A function may be started more than once for an item whose worker died, up to the crash limit. With
//! `crash_limit(1)` it never is.
//!
//! What a task has started goes with its worker, also when it has left the worker's process group
//! (Linux). The one exception is a process that has left that group (`setsid`, a shell with job control) of a worker
//! that then crashes by itself: the system gives it to `init` before the pool can look.
//!
//! # Seeing what goes on
//! * What workers write to **standard error** comes out of yours, unchanged
//!   ([`stderr`](limits::WorkerOptions::stderr) changes that). The last 8 KiB of a worker that dies are in
//!   its [`Death`](supervision::Death) as [`LastWords`](supervision::LastWords) and are shown with the error: that is where an `abort` of a C library,
//!   a sanitizer or a stack overflow have left their message.
//! * What items print on **standard output** goes where yours goes. With [`WorkerStdout::Capture`] it comes with each item's
//!   outcome, and with the death of its worker: [`with_stdout`](Pmap::with_stdout), [`TaskError::stdout`].
//! * **`tracing` events** of workers come out of your subscriber, under the span that was current at
//!   [`start`](AsynPmap::start), with fields for the worker and the item. What your subscriber does not
//!   want is not sent ([`forward_tracing`](limits::WorkerOptions::forward_tracing) changes that), floods are bounded and
//!   counted, and the last 16 events of a worker that dies are in its last words, sent or not.
//! * [`stats`](Pmap::stats) is a snapshot: counts, deaths by cause, the slowest items, and what every worker
//!   does and has spent its time on (start, init, wait, work, exit).
//! * [`progress`](Pmap::progress) tells how far the run is, its rate over the last 10 s, and how long it
//!   will take; [`on_progress`](Pmap::on_progress) calls you with it. With the feature `indicatif`,
//!   `run.with_progress_bar(bar)` moves a progress bar.
//! * [`events`](Pmap::events) is a stream, and a blocking iterator, of what happens to workers; it keeps the
//!   last 512 and counts what a slow reader misses. [`observe`](AsynPmap::observe) calls you instead.
//!
//! A [`RunHandle`] gives all three to other threads:
//!
//! ```
//! use mt_pool::asyn_pmap;
//!
//! #[mt_pool::task]
//! fn double(n: u64) -> u64 {
//!     2 * n
//! }
//!
//! #[mt_pool::main]
//! fn main() -> anyhow::Result<()> {
//!     let run = asyn_pmap::<double>(0..1000).processes(2).start()?;
//!     let handle = run.handle();
//!     let consumer = std::thread::spawn(move || run.into_iter().filter(Result::is_ok).count());
//!     while handle.progress().fraction().is_some_and(|done| done < 1.0) {
//!         std::thread::yield_now(); // or draw something
//!     }
//!     assert_eq!(consumer.join().unwrap(), 1000);
//!     let stats = handle.stats();
//!     assert_eq!(stats.workers.iter().map(|worker| worker.items_finished).sum::<u64>(), 1000);
//!     Ok(())
//! }
//! ```
//!
//! # Examples
//! Programs to read and to run, in `examples`; `cargo run --release -p mt-pool --example NAME -- --help`:
//! * `digest`: the sums and counts of every file of a tree, one of which may be made to abort its worker.
//! * `thumbnails`: images, one of them corrupt and one far too large, under a memory limit and a hard deadline.
//! * `waits`: ten thousand HTTP requests that mostly wait.
//! * `search`: the smallest number with a property, by [`WorkIterator`].
//!
//! # Errors
//! [`StartError`] says why a run was not started; nothing exists then. [`TaskError`] is the outcome of
//! one item and knows its index; [`WorkerFailure`](supervision::WorkerFailure) is why there are no workers.

// The macros name this crate by its name, in its own examples and modules too.
extern crate self as mt_pool;

pub mod calls;
mod context;
mod counter;
mod current;
mod describe;
mod dispatch;
mod driver;
pub mod error;
pub mod events;
mod executor;
mod fair_line;
pub mod guide;
mod init;
pub mod input;
pub mod limits;
pub mod load;
mod lock;
mod platform;
pub mod pmap;
mod pool;
mod registry;
mod returns;
#[cfg(feature = "tower")]
pub mod service;
mod setters;
pub mod stats;
pub mod supervision;
pub mod task;
mod wait;
mod wire;
pub mod worker;
pub mod works;

pub use calls::Call;
pub use context::{Context, NoContext};
pub use counter::Counter;
pub use current::{is_cancelled, task_index, task_rng};
pub use error::{StartError, TaskError, TaskErrorKind};
pub use init::init;
pub use input::from_stream;
#[cfg(feature = "ndarray")]
pub use mt_ipc::ViewError;
pub use mt_ipc::{Blob, BlobWriter, WorkerStderr, WorkerStdout};
/// Makes a task of a closure that captures nothing: a value for
/// [`asyn_pmap_with`].
///
/// The closure says its argument types and what it returns. `async` closures and `#[shared]` and
/// `#[context]` arguments work as in [`#[task]`](macro@crate::task).
///
/// ```
/// # // Case M4: A closure that captures nothing can be a task.
/// use mt_pool::{asyn_pmap_with, inline_task};
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let longer = inline_task!(async |#[shared] by: &usize, text: String| -> String {
///         text.repeat(*by)
///     });
///     let run = asyn_pmap_with(longer, vec![String::from("ab")]).shared(3).start()?;
///     assert_eq!(run.into_iter().next().unwrap()?, "ababab");
///     Ok(())
/// }
/// ```
pub use mt_macros::inline_task;
/// Makes `main` start with [`init()`](crate::init()); an `async fn main` gets a tokio runtime.
///
/// `flavor = "current_thread"` and `worker_threads = n` choose the runtime, as in `tokio::main`.
///
/// ```
/// #[mt_pool::main(flavor = "current_thread")]
/// async fn main() {
///     // only the parent process gets here
/// }
/// ```
pub use mt_macros::main;
/// Makes a function a task: it can still be called, and its name is also a type for
/// [`asyn_pmap`].
///
/// By-value arguments are the item (none: `()`, several: a tuple). `#[shared] x: &T` takes the value
/// given with [`shared`](crate::AsynPmap::shared), `#[context] x: &T` a [`Context`].
/// Of a returned `Result<T, E>`, whatever it is called, `E` is the task's error type if it can cross; else
/// what it displays crosses ([`Raised`](task::Raised)), as of `anyhow::Result<T>`.
///
/// ```
/// # // Case M3: Arguments by value are the item, several are a tuple, and a `#[shared]` one is one value for all
/// # // items.
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Limits { most: u32 }
///
/// #[mt_pool::task]
/// async fn sum(#[shared] limits: &Limits, a: u32, b: u32) -> Result<u32, String> {
///     let sum = a + b;
///     if sum > limits.most { Err(format!("{sum} is too much")) } else { Ok(sum) }
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let run = mt_pool::asyn_pmap::<sum>([(1, 2), (3, 4)]).shared(Limits { most: 5 }).start()?;
///     let outcomes: Vec<_> = run.into_iter().collect();
///     assert_eq!(*outcomes[0].as_ref().unwrap(), 3);
///     assert_eq!(outcomes[1].as_ref().unwrap_err().to_string(), "item 1: 7 is too much");
///     Ok(())
/// }
/// ```
pub use mt_macros::task;
pub use mt_proto::CapturedStdout;
pub use pmap::{AsynPmap, Pmap, RunHandle, Scope, asyn_pmap, asyn_pmap_with, scope};
pub use pool::{Pool, PoolBuilder, PoolShutdown, PoolStats};
pub use supervision::OnSignal;
pub use task::Task;
pub use wait::Blocking;
#[cfg(feature = "json")]
pub use wire::Json;
pub use wire::Wire;
pub use worker::worker_slot;
pub use works::WorkIterator;

/// For the macros; not for people.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use mt_ipc::is_worker_process;
    pub use tokio;

    pub use crate::{
        describe::{ByDebug, ByDisplay, ByName, Describe},
        init::TestEntry,
        registry::Registration,
        wire::{Checked, wire},
    };

    /// What a task's return type becomes on the wire.
    pub mod returns {
        pub use crate::returns::*;
    }
}

/// For the gate of this repository's benches; not for people.
#[cfg(feature = "__hot_paths")]
#[doc(hidden)]
pub mod __hot_paths {
    pub use crate::dispatch::hot_paths::*;
}
