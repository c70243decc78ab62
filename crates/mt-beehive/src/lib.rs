//! A queen bee with the model and the data, worker bees in processes of their own, and a protocol between
//! them that loses no task.
//!
//! The queen lives in your process and owns what is expensive. She delegates tasks, usually many at once, to
//! worker bees: asynchronous code in other processes, by the side of which a segfault, a leak or a global lock
//! is nobody else's trouble. Every task that is delegated ends in exactly one way, and when the hive is over no
//! process is left.
//!
//! # Start here
//!
//! ```
//! use futures::future::try_join_all;
//! use mt_beehive::{BeehiveError, DelegateError, Hive, beehive_run};
//!
//! #[derive(Default)]
//! struct Cleaner;
//!
//! #[mt_beehive::worker]                        // its tasks can be delegated to another process
//! impl Cleaner {
//!     #[task]
//!     async fn clean(&self, row: String) -> Result<f64, std::num::ParseFloatError> {
//!         row.trim().parse()                   // or: fetch, decode, resize …
//!     }
//! }
//!
//! struct Predictor { weight: f64 }             // the model; it never leaves this process
//!
//! #[mt_beehive::queen(worker = Cleaner)]
//! impl Predictor {
//!     fn new(weight: f64) -> Self {
//!         Self { weight }
//!     }
//!
//!     #[task]
//!     async fn predict(&self, hive: &Hive<Cleaner>, rows: Vec<String>) -> Result<f64, DelegateError> {
//!         let mut sum = 0.0;
//!         for clean in try_join_all(rows.into_iter().map(|row| hive.clean(row))).await? {
//!             sum += self.weight * clean;
//!         }
//!         Ok(sum)
//!     }
//! }
//!
//! #[mt_beehive::main]                          // a worker bee's process never gets past this line
//! async fn main() -> Result<(), BeehiveError> {
//!     let rows = vec!["1".to_owned(), " 2 ".to_owned()];
//!     let sum = beehive_run::<Predictor>(10.0, ()).run(|queen| queen.predict(rows)).await?;
//!     assert_eq!(sum, 30.0);
//!     Ok(())
//! }
//! ```
//!
//! A worker bee's process is this same program, started again. [`#[main]`](macro@main), or a call of [`init()`]
//! as the first line of `main`, is where it becomes one; in every file of tests, and of unit tests, that run hives
//! write `mt_beehive::test_worker!();` once ([`test_worker!`]). When the queen is not worth a type, [`hive_of`]
//! gives the hive alone.
//!
//! # Bees
//! * [`#[worker]`](macro@worker) on an `impl` block makes a worker bee. Its `new` is the place to open clients and to
//!   load libraries: it is called in the bee's process, which has a tokio runtime of one thread. A worker bee may have
//!   [worker bees itself](macro@worker#a-hive-in-a-hive).
//! * [`#[queen(worker = Type)]`](macro@queen) makes a queen bee. She lives on your task, whatever the runtime, and stays
//!   on her [thread](#in-a-server).
//!
//! # Delegating
//! Tasks are delegated by methods of a [`Hive`] that have the same name and arguments, or by name with
//! [`Hive::delegate`]. What they return, a [`Delegate`], is a future of the task's value or a [`DelegateError`], and can
//! have a [deadline](Delegate::deadline), tell [who did the task](Delegate::with_bee) and
//! [how far it is](Delegate::on_progress). An error that the task returns arrives as it is if its type can cross, also
//! through a hive in a hive, and otherwise as its text, an [`Exception`]. Up to 65 536 tasks may be delegated and not
//! ended; whoever delegates more waits.
//!
//! # Large data
//! A [`Blob`] in what worker bees are made of is a file in memory, which each of them maps instead of being sent it, also
//! one that replaces a bee that has died: a table of a gibibyte costs one gibibyte, however many bees read it. No bee can
//! change it, it has no name, and it is gone with the last that has it.
//!
//! ```
//! use mt_beehive::{Blob, hive_of};
//!
//! struct Counter { table: Blob }
//!
//! #[mt_beehive::worker]
//! impl Counter {
//!     fn new(table: Blob) -> Self {
//!         Self { table }
//!     }
//!
//!     #[task]
//!     async fn count(&self, byte: u8) -> usize {
//!         self.table.iter().filter(|&&found| found == byte).count()
//!     }
//! }
//!
//! #[mt_beehive::main]
//! async fn main() -> anyhow::Result<()> {
//!     let table = Blob::filled(1 << 20, |bytes| Ok(bytes[..1000].fill(7)))?;
//!     let hive = hive_of::<Counter>(table).processes(2).start()?;
//!     assert_eq!(hive.count(7).await?, 1000);
//!     hive.shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! With the feature `ndarray` a blob is looked at as an array of numbers (`Blob::view`), with the feature `arrow` as a
//! table of Arrow (`Blob::record_batches`); neither copies anything. In arguments, values, errors and progress of tasks
//! blobs cross as bytes so far.
//!
//! # In a server
//! The [`Hive`] of a [started](BeehiveRun::start) [`hive_of`] goes anywhere: into `tokio::spawn`, into the state of a
//! web server. A handler that is dropped, because its client has gone, cancels what it has delegated. When the server has
//! closed its last connection, or its time for that is over, [`shutdown_within`](RunningHive::shutdown_within) is the end.
//! `cargo run --release -p mt-service-example --example service -- --by hive` is such a server; `-- --by hive --load` puts it
//! to the test.
//!
//! A queen may hold what is bound to a thread, so a run of [`beehive_run`] is not `Send`. Under
//! `#[mt_beehive::main]` it can be awaited as it is. Elsewhere give it a thread:
//!
//! ```no_run
//! # use mt_beehive::{BeehiveError, Hive, beehive_run};
//! # #[derive(Default)] struct Cleaner;
//! # #[mt_beehive::worker] impl Cleaner { #[task] async fn clean(&self) {} }
//! # #[derive(Default)] struct Predictor;
//! # #[mt_beehive::queen(worker = Cleaner)] impl Predictor { #[task] async fn predict(&self) -> u8 { 1 } }
//! # async fn run() -> Result<u8, BeehiveError> {
//! let runtime = tokio::runtime::Handle::current();
//! let run = move || runtime.block_on(beehive_run::<Predictor>((), ()).run(|queen| queen.predict()));
//! tokio::task::spawn_blocking(run).await.expect("the queen does not panic")
//! # }
//! ```
//!
//! # What happens when things die
//!
//! | what | how the task ends | everything else |
//! |---|---|---|
//! | it returns an error | [`Raised`](DelegateError::Raised) | not affected |
//! | it panics | [`Panicked`](DelegateError::Panicked), with message, place, call stack | the bee goes on |
//! | there is none of its name | [`NoSuchTask`](DelegateError::NoSuchTask), saying what there is | the bee goes on |
//! | it takes something else; what it returns does not serialise, or is too long | [`Crossing`](DelegateError::Crossing) | the bee goes on |
//! | its bee dies (signal, abort, `exit`) | begun again by another; [`WorkerLost`](CancelReason::WorkerLost) after [`crash_limit`](BeehiveRun::crash_limit) deaths | what the bee had been offered and not begun goes to others uncharged; the bee is replaced |
//! | its bee gives no sign of life for 2.5 s ([`liveness`](limits::WorkerOptions::liveness)) | as when it dies: it is killed | the same |
//! | its bee is stopped (`SIGSTOP`) | it waits ([`liveness`](limits::WorkerOptions::liveness) may have the bee killed) | what the bee had been offered and not begun goes to others |
//! | its deadline passes | [`Deadline`](CancelReason::Deadline), when nobody does it any more | a bee that does not let go of it is killed; what else that did is begun again elsewhere and not charged |
//! | its [`Delegate`] is dropped | nobody asks | as with a deadline |
//! | bees can't be made, or die again and again for nothing | [`NoWorkers`](CancelReason::NoWorkers), with the cause, once the [restart budget](limits::WorkerOptions::restart_budget) is spent | the same for every task that waits |
//! | the queen's task has ended, or the hive is [shut down](RunningHive::shutdown) | – | worker bees finish what they have, and die |
//! | the [time for that](RunningHive::shutdown_within) is over | [`HiveClosed`](CancelReason::HiveClosed) | as with a deadline; then worker bees die |
//! | the queen's task panics, or the hive is dropped | [`HiveClosed`](CancelReason::HiveClosed) | worker bees are killed |
//! | Ctrl-C | what bees have begun goes on; the rest is [`Interrupted`](CancelReason::Interrupted) | the queen sees it and returns; a second Ctrl-C ends all at once: see [`workers`](BeehiveRun::workers) |
//! | your process is killed | – | worker bees end themselves at once, and those below them |
//!
//! The reasons that have no link of their own are [`Cancelled`](DelegateError::Cancelled). A task may be begun more
//! than once when its bee dies, up to the crash limit; in its last attempt it is alone
//! in a bee, so that nobody is given up for what another task does. With `crash_limit(1)` it is never begun twice.
//!
//! # Options
//! All are methods of [`BeehiveRun`]. What is out of its range is an error when the hive starts.
//!
//! | about | options |
//! |---|---|
//! | how many bees | [`processes`](BeehiveRun::processes): a number, or elastic as in the seed, by default. [`Hive::spawn`] and [`Hive::bury`] change the number by hand |
//! | how much at once | [`max_concurrency`](BeehiveRun::max_concurrency) of a worker bee (1024), [`queenbee_max_concurrency`](BeehiveRun::queenbee_max_concurrency) of the queen (no limit) |
//! | who does what | [`dispatch`](BeehiveRun::dispatch): an auction as in the seed, or by counted places, which is quicker with many bees or tiny tasks |
//! | how long things may take | [`Delegate::deadline`] for a task; [`deadlines`](BeehiveRun::deadlines) for a task that is to stop, a bee that is to die, and one that is made |
//! | trying again | [`crash_limit`](BeehiveRun::crash_limit); the [restart budget](limits::WorkerOptions::restart_budget) |
//! | the processes | [`workers`](BeehiveRun::workers), as in the pool: who counts as frozen, stopped or blocked, Ctrl-C, standard error, `tracing` |
//!
//! # Errors
//! [`BeehiveError`] says why a hive came to nothing, [`DelegateError`] why a single delegated task has no value, and
//! [`CancelReason`] why it was cancelled: all are told apart by type, and their texts are for people.
//!
//! # Seeing what goes on
//! [`Hive::bees`] tells what each bee is at, [`Hive::stats`] what the hive has done so far, and
//! [`Hive::busy_status`] how busy a bee is.
//!
//! A worker bee that is lost is a `tracing` event of level warn, with why; so is one that is silent. What worker bees
//! say by `tracing` and on their standard error comes out [in this process](BeehiveRun::workers). Every message between
//! bees is a `tracing` event of level debug, target `mt_beehive` ([`log`]). What they are, and the rules they keep, is in
//! `docs/protocol.md` of the repository.
//!
//! # An example with real data
//! `cargo run --release -p mt-beehive --example predict`: the queen trains a model on wines and predicts in
//! batches, worker bees fetch, check and store. With `-- --chaos` they are killed meanwhile, and the answers are
//! the same to the bit. With `-- --poison` one row's record aborts whoever reads it, and only that row is lost.

// The macros name this crate by its name, in its own examples and modules too.
extern crate self as mt_beehive;

// Case R1: The programs that the README shows compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub mod bee;
mod call;
mod driver;
pub mod error;
mod executor;
mod generated;
#[cfg(feature = "json")]
mod json;
pub mod log;
mod machine;
mod queen;

mod registry;
mod returned;

mod types;

pub use bee::{BeeCx, TaskCx};
pub use error::{BeehiveError, CancelReason, DelegateError, Exception, StartError};
pub use machine::parent::{Dispatch, Population};
/// Makes `main` start with [`init()`]; an `async fn main` gets a tokio runtime.
///
/// The runtime of an `async fn` has many threads; `flavor = "current_thread"` and `worker_threads = 4` change
/// that. (`mt_pool::main` is the same; either serves both crates.) The [crate's example](crate#start-here) has one.
///
/// Where `main` belongs to another attribute, call [`init()`] as its first line. A worker bee then starts that
/// runtime's threads too, and leaves them idle.
///
/// ```
/// # use mt_beehive::hive_of;
/// # #[derive(Default)] struct Worker;
/// # #[mt_beehive::worker] impl Worker { #[task] async fn work(&self) -> u8 { 1 } }
/// #[tokio::main]
/// async fn main() {
///     mt_beehive::init();
///     // hive_of::<…>(…)
/// #   let hive = hive_of::<Worker>(()).processes(1).start().unwrap();
/// #   assert_eq!(hive.work().await, Ok(1));
/// }
/// ```
pub use mt_macros::beehive_main as main;
/// Makes a type a queen bee: its methods marked `#[task]` are what a hive is run for.
///
/// Goes on an `impl` block, as [`#[worker]`](macro@worker) does, and reads it the same way: `new` or
/// [`Default`] makes the queen, `#[task] async fn name(&self, arguments…)` is a task. See [`beehive_run`] for an
/// example. What is different:
///
/// * `#[queen(worker = Type)]` says whom she delegates to.
/// * The first argument of a task that needs not be there is `hive: &Hive<Type>` or `hive: Hive<Type>`.
/// * A queen lives in this process: what she is made of, given and returns can be of any type that owns its data,
///   and a plain `fn` blocks the caller's thread. Her errors are told as text, [`BeehiveError::Raised`].
/// * The trait with her tasks, `pub trait PredictorTasks` for `struct Predictor`, is implemented for
///   [`Queen<Predictor>`](Queen), and its methods return a [`QueenTask`](run::QueenTask). A panic is not caught.
pub use mt_macros::queen;
/// Makes a type a worker bee: its methods marked `#[task]` can be delegated to another process.
///
/// Goes on an `impl` block. The block stays as it is and can be called as ever; methods that are not marked
/// are nobody's business but yours.
///
/// ```
/// # // Case R18: Tasks are methods, delegated typed or by name, with a deadline, and it can be told who did them.
/// use std::time::Duration;
///
/// use mt_beehive::{BeeCx, TaskCx, hive_of};
///
/// struct Greeter { words: String, my_id: u32 }
///
/// #[mt_beehive::worker]
/// impl Greeter {
///     fn new(cx: BeeCx, words: String) -> Self {
///         Self { words, my_id: cx.my_id }
///     }
///
///     #[task]
///     async fn greet(&self, cx: &TaskCx, name: String, times: usize) -> Result<String, String> {
///         assert_eq!(cx.my_id, self.my_id);
///         let greeting = format!("{} {name}! ", self.words);
///         greeting.is_ascii().then(|| greeting.repeat(times)).ok_or(format!("{name} is not ASCII"))
///     }
/// }
///
/// #[mt_beehive::main]
/// async fn main() -> anyhow::Result<()> {
///     let hive = hive_of::<Greeter>("Hello".into()).processes(1).start()?;
///     // Typed; and by name.
///     let limit = Duration::from_secs(5);
///     let (greeting, bee) = hive.greet("Maya".into(), 2).deadline(limit).with_bee().await;
///     assert_eq!(greeting?, "Hello Maya! Hello Maya! ");
///     assert_eq!(bee, Some(0));
///     let greeting = hive.delegate::<String>("greet", ("Günter".to_owned(), 1_usize)).await;
///     assert_eq!(greeting.unwrap_err().to_string(), "raised: Günter is not ASCII");
///     hive.shutdown().await;
///     Ok(())
/// }
/// ```
///
/// # How a bee is made
/// By `fn new` or `async fn new`, in its process. The arguments are what the bee is made of
/// ([`Bee::Init`](bee::Bee::Init)): none is `()`, one is its type, several are a tuple. A first argument `cx: BeeCx`
/// is not among them, but tells the bee's id. `new` returns `Self` or `Result<Self, E>` with `E: Display`; a bee that
/// can't be made is tried again under the [restart budget](limits::WorkerOptions::restart_budget). Without `new` the bee is
/// made by [`Default`], of `()`.
///
/// # Tasks
/// `#[task] async fn name(&self, arguments…) -> T`, or `-> Result<T, E>`, whatever that is called. An `E` that is
/// [`Wire`] arrives as it is, any other that is `Display`, such as `anyhow::Error`, as its text. The arguments are
/// taken by value, and cross; by name they are delegated as `()`, the only one, or a tuple. A first argument
/// `cx: &TaskCx` or `cx: TaskCx` is not among them, but tells about the call. What crosses is [`Wire`].
///
/// A bee does many tasks at once, on one thread, so they take turns where they `await`. They need not be
/// `Send`. A plain `fn` is a task too, but the bee does nothing else until it returns (the bee's heart beats on, and
/// [`busy_status`](Hive::busy_status) is answered).
///
/// # A hive in a hive
/// With `#[worker(worker = Type)]` a worker bee has worker bees of its own, and is a queen to them:
///
/// ```
/// use futures::future::try_join_all;
/// use mt_beehive::{BeehiveRun, DelegateError, Hive, hive_of};
///
/// #[derive(Default)]
/// struct Reader;
///
/// #[mt_beehive::worker]
/// impl Reader {
///     #[task]
///     async fn lines(&self, text: String) -> usize {
///         text.lines().count()
///     }
/// }
///
/// #[derive(Default)]
/// struct Archivist;
///
/// #[mt_beehive::worker(worker = Reader)]
/// impl Archivist {
///     fn hive(&self) -> BeehiveRun<Reader> {
///         hive_of::<Reader>(()).processes(1)
///     }
///
///     #[task]
///     async fn total(&self, hive: &Hive<Reader>, texts: Vec<String>) -> Result<usize, DelegateError> {
///         let lines = texts.into_iter().map(|text| hive.lines(text));
///         Ok(try_join_all(lines).await?.into_iter().sum())
///     }
/// }
///
/// #[mt_beehive::main]
/// async fn main() -> anyhow::Result<()> {
///     let hive = hive_of::<Archivist>(()).processes(1).start()?;
///     assert_eq!(hive.total(vec!["a\nb".into(), "c".into()]).await?, 3);
///     hive.shutdown().await;
///     Ok(())
/// }
/// ```
///
/// * Tasks may take `hive: &Hive<Type>` or `hive: Hive<Type>`, after `cx` if they take both.
/// * `fn hive(&self) -> BeehiveRun<Type>` describes the hive, with all options there are; it is asked once, when
///   the bee is made. Without it the hive is `hive_of::<Type>(())`. Mind the numbers: each bee has as many
///   below it, and by default that is one less than there are processors.
/// * The hive is started when a task that takes it is first begun, so bees that never delegate have no
///   processes below them. If it can't be started, that task and those after it end as
///   [`DelegateError::NoHive`].
/// * When the bee is told to die it finishes its tasks, which may go on delegating; then its worker bees die, each
///   within its own [`exit_grace`](limits::Deadlines::exit_grace), and then the bee does. Their time does not count against
///   its own.
/// * When the bee dies otherwise, everything below it is gone at once, and what it had is begun again by another
///   bee, with a new hive of its own. The same when the queen is killed.
/// * A task that is cancelled cancels what it had delegated. The bees below let go of that within
///   their [`cancel_grace`](limits::Deadlines::cancel_grace), which may be a little after the task's end is told.
///
/// # The trait with the tasks
/// For `struct Greeter` comes `pub trait GreeterTasks`, in the same module, implemented for
/// `Hive<Greeter>`: one method a task, with the same arguments, that returns a [`Delegate`]. From other
/// modules `use` it. `#[worker(tasks = Name)]` gives another name, `#[worker(tasks = pub(crate) Name)]` another
/// visibility.
///
/// `#[worker(crate = path)]` names `mt_beehive` where it isn't `::mt_beehive`.
pub use mt_macros::worker;
#[cfg(feature = "ndarray")]
pub use mt_pool::ViewError;
pub use mt_pool::{Blob, BlobWriter, Wire, init, test_worker, worker_slot};
pub use queen::{BeehiveRun, ChildId, Delegate, Hive, Queen, RunningHive, beehive_run, hive_of};

pub mod run {
    //! What comes of what a hive or a queen is asked for, and how a [`BeehiveRun`](crate::BeehiveRun) says whether
    //! it has a queen.

    pub use crate::queen::{Asking, QueenTask, WithBee, WithQueen, WithoutQueen};
}

pub mod stats {
    //! What a hive tells of itself: [`Hive::bees`](crate::Hive::bees) and [`Hive::stats`](crate::Hive::stats), and
    //! [its end](crate::RunningHive::shutdown_within).

    pub use mt_pool::supervision::Health;

    pub use crate::{
        driver::HiveShutdown,
        machine::parent::{BeeState, BeeStatus, HiveStats},
    };
}

pub mod limits {
    //! Values of options: those that belong together are one value.

    pub use mt_pool::limits::{Resource, WorkerOptions};

    pub use crate::queen::Deadlines;
}

pub mod supervision {
    //! How worker bees' processes are supervised, and how one ended. All of it is [`mt_pool`]'s.

    pub use mt_pool::{
        WorkerStderr, WorkerStdout,
        supervision::{
            Death, DeathCause, LastWords, LivenessPolicy, OnSignal, RestartBudget, Verdict,
        },
    };
}

/// For the macros; not for people.
#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use inventory;
    pub use mt_pool::__private::{ByDebug, ByDisplay, ByName, Checked, Describe, returns, tokio};

    pub use crate::{
        call::TaskCall,
        executor::Registration,
        generated::*,
        queen::{OwnHive, QueenCall, QueenValue},
        returned::{Returned, Way},
        types::TaskTypes,
    };
}

/// For the gate of this repository's benches; not for people.
#[cfg(feature = "__hot_paths")]
#[doc(hidden)]
pub mod __hot_paths {
    pub use crate::machine::hot_paths::*;
}
