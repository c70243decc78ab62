//! A queen bee with the model and the data, worker bees in processes of their own, and a protocol between
//! them that loses no task.

// The macros name this crate by its name, in its own examples and modules too.
extern crate self as mt_beehive;

mod bee;
mod child;
mod hive;
mod log;
mod queen;
mod registry;

pub use bee::{Bee, BeeCx, TaskCall, TaskCx, WorkerBee};
pub use hive::parent::{Dispatch, Population};
pub use log::logger_debug_msg;
/// Makes `main` start with [`init()`]; an `async fn main` gets a tokio runtime.
///
/// A worker bee's process is this program, started again: it never gets past the first line of `main`. The
/// runtime of an `async fn` has many threads; `flavor = "current_thread"` and `worker_threads = 4` change
/// that. (It is `mt_pool::main`; either serves both crates.)
///
/// ```
/// #[mt_beehive::main]
/// async fn main() {
///     // hive_of::<…>(…)
/// }
/// ```
pub use mt_macros::beehive_main as main;
/// Makes a type a queen bee: its methods marked `#[task]` are what a hive is run for.
///
/// Goes on an `impl` block, as [`#[worker]`](macro@worker) does, and reads it the same way: `new` or
/// [`Default`] makes her, `#[task] async fn name(&self, arguments…)` is a task. See [`beehive_run`] for an
/// example. What is different:
///
/// * `#[queen(worker = Type)]` says whom she delegates to.
/// * The first argument of a task that needs not be there is `hive: &Hive<Type>` or `hive: Hive<Type>`.
/// * She lives in this process: what she is made of, given and returns can be of any type that owns its data,
///   and a plain `fn` blocks the caller's thread. Her errors are still told as text.
/// * The trait with her tasks, `pub trait PredictorTasks` for `struct Predictor`, is implemented for
///   [`Queen<Predictor>`](Queen), and its methods return a [`QueenTask`]. A panic is not caught.
pub use mt_macros::queen;
/// Makes a type a worker bee: its methods marked `#[task]` can be delegated to her process.
///
/// Goes on an `impl` block. The block stays as it is and can be called as ever; methods that are not marked
/// are nobody's business but yours.
///
/// ```
/// use std::time::Duration;
///
/// use mt_beehive::{BeeCx, Population, TaskCx, TaskResult, hive_of};
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
/// async fn main() -> Result<(), mt_beehive::BeehiveError> {
///     let hive = hive_of::<Greeter>("Hello".into()).population(Population::Fixed(1));
///     hive.run(async |hive| {
///         // Typed; and by name.
///         let limit = Duration::from_secs(5);
///         let (result, bee) = hive.greet("Maya".into(), 2).deadline(limit).await;
///         assert_eq!(result, TaskResult::Succeeded("Hello Maya! Hello Maya! ".into()));
///         assert_eq!(bee, Some(0));
///         let (result, _) = hive.delegate::<String>("greet", ("Günter".to_owned(), 1_usize)).await;
///         assert_eq!(result.ok(), Err("raised: Günter is not ASCII".into()));
///     }).await
/// }
/// ```
///
/// # How she is made
/// By `fn new` or `async fn new`, in her process. Her arguments are what she is made of ([`Bee::Init`]): none
/// is `()`, one is its type, several are a tuple. A first argument `cx: BeeCx` is not among them, but tells
/// her id. `new` returns `Self` or `Result<Self, E>` with `E: Display`; a bee that can't be made is tried
/// again under the [`RestartBudget`]. Without `new` she is made by [`Default`], of `()`.
///
/// # Her tasks
/// `#[task] async fn name(&self, arguments…) -> T`, or `-> Result<T, E>` with `E: Display`. The arguments are
/// taken by value, and cross; by name they are delegated as `()`, the only one, or a tuple. A first argument
/// `cx: &TaskCx` or `cx: TaskCx` is not among them, but tells about the call. What crosses is [`Wire`].
///
/// A bee does many tasks at once, on one thread, so they take turns where they `await`. They need not be
/// `Send`. A plain `fn` is a task too, but the bee does nothing else until it returns (her heart beats on, and
/// [`busy_status`](Hive::busy_status) is answered).
///
/// # The trait with her tasks
/// For `struct Greeter` comes `pub trait GreeterTasks`, in the same module, implemented for
/// `Hive<Greeter>`: one method a task, with the same arguments, that returns a [`Delegate`]. From other
/// modules `use` it. `#[worker(tasks = Name)]` gives another name, `#[worker(tasks = pub(crate) Name)]` another
/// visibility.
///
/// `#[worker(crate = path)]` names `mt_beehive` where it isn't `::mt_beehive`.
pub use mt_macros::worker;
pub use mt_pool::{RestartBudget, StartError, Wire, init, test_worker};
pub use queen::{
    BeehiveError, BeehiveRun, ChildId, Delegate, Exception, Hive, Queen, QueenBee, QueenCall,
    QueenTask, QueenValue, TaskResult, WithQueen, WithoutQueen, beehive_run, hive_of,
};
pub use registry::Registration;

/// For the macros; not for people.
#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use mt_pool::__private::{Checked, inventory, tokio};

    pub use crate::bee::{
        Crosses, MadeOfNothing, crosses, decode_args, encode_value, made_of_nothing, not_made,
        raised,
    };
}
