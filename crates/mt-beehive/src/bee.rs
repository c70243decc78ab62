//! What a bee is: a value with asynchronous tasks that are called by name.

use std::{collections::BTreeMap, fmt, pin::Pin, rc::Rc, sync::Arc, time::Instant};

use bytes::Bytes;
use mt_pool::Wire;
use mt_proto::{MAX_RECORD_BYTES, RaisedException, TaskId, TaskInfo, decode_strict, encode};
use serde::Serialize;

use crate::{
    BeehiveError, BeehiveRun, Hive, OwnHive, executor::ProgressBuffer, hive_of, queen::Below,
};

/// The detail of a panic that says where it was.
pub(crate) const PLACE: &str = "location";
/// The most bytes of what a task says of how far it is.
const MAX_PROGRESS_BYTES: usize = 64 * 1024;

/// A call of a task that goes on: ends with what the task returned, encoded, or with what it raised.
pub type TaskCall<'a> = Pin<Box<dyn Future<Output = Result<Bytes, RaisedException>> + 'a>>;

/// A bee: the part that workers and queens share.
///
/// Written by the macros, not by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a bee",
    note = "put `#[mt_beehive::worker]`, or for a queen `#[mt_beehive::queen(worker = Type)]`, on its `impl` block"
)]
pub trait Bee: Sized + 'static {
    /// The name it is registered under: module path and type name.
    const NAME: &'static str;

    /// What it is made of (the seed's `init_args` and `init_kwargs`). A worker bee's crosses to her process.
    type Init: 'static;

    /// The names of its tasks.
    const TASKS: &'static [&'static str];
}

/// A worker bee: lives in a process of her own and does tasks for the queen.
///
/// Written by [`#[worker]`](macro@crate::worker).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a worker bee",
    note = "put `#[mt_beehive::worker]` on its `impl` block"
)]
pub trait WorkerBee: Bee<Init: Wire> {
    /// Makes her, in her process.
    ///
    /// # Errors
    /// Why she can't be made, for people; she is then replaced under the restart budget.
    fn make(init: Self::Init, cx: BeeCx) -> impl Future<Output = Result<Self, String>>;

    /// The hive of her own, if she has worker bees herself: what [`TaskCx::hive`] starts. Asked once, when she
    /// is made.
    fn own_hive(&self) -> Option<OwnHive> {
        None
    }

    /// Calls a task by its name; `None` if she has none of that name.
    fn call(self: Rc<Self>, cx: TaskCx, name: &str, args: Bytes) -> Option<TaskCall<'static>>;
}

/// What a bee knows of herself: the argument `cx: BeeCx` of her `new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BeeCx {
    /// The id her parent has given her: 0, 1, 2 … (the seed's `my_id`).
    pub my_id: u32,
}

/// What a worker bee's task knows of its call: its first argument, `cx: &TaskCx` or `cx: TaskCx`, if it wants
/// to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskCx {
    /// The id of the bee that does it.
    pub my_id: u32,
    /// The task's id.
    pub task_id: u64,
    /// Which attempt at the task this is: 1, and one more for every bee that had it and is gone. What an
    /// earlier attempt has written somewhere may be there.
    pub attempt: u32,
    /// When it is cancelled, if it was delegated with a [`deadline`](crate::Delegate::deadline): its future is
    /// dropped at the `await` where it is.
    pub deadline: Option<Instant>,
    bee: Arc<BeeShared>,
}

/// What all tasks of a bee share.
pub(crate) struct BeeShared {
    /// To her parent: how far tasks are.
    pub(crate) progress: Arc<ProgressBuffer>,
    /// To her children, if she may have any.
    pub(crate) below: Option<Below>,
}

impl fmt::Debug for BeeShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeeShared").finish_non_exhaustive()
    }
}

impl TaskCx {
    pub(crate) fn new(my_id: u32, info: &TaskInfo, bee: Arc<BeeShared>) -> Self {
        Self {
            my_id,
            task_id: info.task_id.0,
            attempt: info.attempt,
            deadline: info
                .deadline
                .and_then(|left| Instant::now().checked_add(left)),
            bee,
        }
    }

    /// The bee's own hive, for a bee whose [`own_hive`](WorkerBee::own_hive) describes one of `W`s: what
    /// `hive: &Hive<W>` is in a task of a `#[worker(worker = W)]`. It is started when this is first called.
    ///
    /// # Errors
    /// [`BeehiveError::NoHive`] when there is none, [`BeehiveError::Start`] and [`BeehiveError::Init`] when it
    /// can't be started.
    pub fn hive<W: WorkerBee>(&self) -> Result<Hive<W>, BeehiveError> {
        match &self.bee.below {
            Some(below) => below.hive(),
            None => Err(BeehiveError::NoHive("she describes none".into())),
        }
    }

    /// Tells whoever delegated the task how far it is, by any value: see
    /// [`Delegate::on_progress`](crate::Delegate::on_progress), where that type is named again.
    ///
    /// Never waits, and costs an encoding of the value. Of values that come faster than they are sent, every
    /// 10 ms at most, the latest counts; the last one before the task ends always arrives. It is dropped, with
    /// a `tracing` event of level warn in this process, if it does not serialise, or to more than 64 KiB.
    ///
    /// ```
    /// # use mt_beehive::{BeehiveError, Population, TaskCx, hive_of};
    /// #[derive(Default)]
    /// struct Copier;
    ///
    /// #[mt_beehive::worker]
    /// impl Copier {
    ///     #[task]
    ///     async fn copy(&self, cx: &TaskCx, files: Vec<String>) -> usize {
    ///         for (done, _file) in files.iter().enumerate() {
    ///             cx.progress(&(done, files.len()));
    ///             tokio::task::yield_now().await; // or: copy it
    ///         }
    ///         files.len()
    ///     }
    /// }
    ///
    /// #[mt_beehive::main]
    /// async fn main() -> Result<(), BeehiveError> {
    ///     let hive = hive_of::<Copier>(()).population(Population::Fixed(1));
    ///     hive.run(async |hive| {
    ///         let files = vec!["a".to_owned(), "b".to_owned()];
    ///         let (copied, _bee) = hive
    ///             .copy(files)
    ///             .on_progress(|(done, of): (usize, usize)| println!("{done} of {of}"))
    ///             .await;
    ///         assert_eq!(copied.ok(), Ok(2));
    ///     }).await
    /// }
    /// ```
    pub fn progress(&self, value: &(impl Serialize + ?Sized)) {
        match encode(value, MAX_PROGRESS_BYTES) {
            Ok(value) => self.bee.progress.tell(TaskId(self.task_id), value.into()),
            Err(error) => {
                let task = self.task_id;
                tracing::warn!(task, %error, "how far a task is can't be sent");
            }
        }
    }
}

/// Decodes the arguments of a task. For the macros.
#[doc(hidden)]
pub fn decode_args<A: Wire>(name: &str, args: &[u8]) -> Result<A, RaisedException> {
    decode_strict(args).map_err(|error| {
        let what = std::any::type_name::<A>();
        RaisedException::text(format!(
            "the arguments given to task `{name}` are not what it takes, {what}: {error}"
        ))
    })
}

/// Encodes what a task returned. For the macros.
#[doc(hidden)]
pub fn encode_value<V: Wire>(name: &str, value: &V) -> Result<Bytes, RaisedException> {
    let encoded = encode(value, MAX_RECORD_BYTES).map(Bytes::from);
    encoded.map_err(|error| {
        RaisedException::text(format!(
            "what task `{name}` returned can't be sent: {error}"
        ))
    })
}

/// Makes an exception of an error. For the macros.
#[doc(hidden)]
#[must_use]
pub fn raised<E: std::fmt::Display>(error: &E) -> RaisedException {
    let mut other_details = BTreeMap::new();
    let kind = std::any::type_name::<E>().to_owned();
    other_details.insert("type".to_owned(), kind);
    RaisedException {
        // With its causes, if its alternate form has them.
        other_details,
        ..RaisedException::text(format!("{error:#}"))
    }
}

/// What was raised in a line, with the place of a panic.
pub(crate) fn in_a_line(exception: &str, details: &BTreeMap<String, String>) -> String {
    match details.get(PLACE) {
        Some(place) => format!("{exception} (at {place})"),
        None => exception.to_owned(),
    }
}

/// Says why a bee could not be made. For the macros.
#[doc(hidden)]
#[must_use]
pub fn not_made<E: std::fmt::Display>(error: &E) -> String {
    format!("{error:#}")
}

/// A bee without `new`. For the macros.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "nothing says how to make a `{Self}`",
    label = "this has neither `fn new` in the block nor `Default`",
    note = "write `fn new(…) -> Self` in this `impl` block, or implement `Default` for `{Self}`"
)]
pub trait MadeOfNothing: Default {}

#[diagnostic::do_not_recommend]
impl<B: Default> MadeOfNothing for B {}

/// Makes a bee that needs nothing. For the macros.
#[doc(hidden)]
#[must_use]
pub fn made_of_nothing<B: MadeOfNothing>() -> B {
    B::default()
}

/// A worker bee that is made of nothing. For the macros.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "nothing says how the hive of `{Self}`s is to be",
    label = "this is not made of `()`",
    note = "write `fn hive(&self) -> BeehiveRun<{Self}>` in this `impl` block, for example \
            `hive_of::<{Self}>(…).population(…)`"
)]
pub trait OfNothing: WorkerBee<Init = ()> {}

#[diagnostic::do_not_recommend]
impl<W: WorkerBee<Init = ()>> OfNothing for W {}

/// The hive of a bee's own that has no description. For the macros.
#[doc(hidden)]
pub fn hive_of_nothing<W: OfNothing>() -> BeehiveRun<W> {
    hive_of::<W>(())
}

/// [`Wire`], in words about bees. For the macros.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't cross between the queen and a worker bee",
    label = "this must be `Serialize + Deserialize + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for `{Self}`, or pass something that has them (a path, an id)",
    note = "what can't be sent at all (a connection, a client) a worker bee makes in `new` and keeps"
)]
pub trait Crosses: Wire {}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + serde::de::DeserializeOwned + Send + 'static> Crosses for T {}

/// Compiles only if `T` can cross. For the macros.
#[doc(hidden)]
#[must_use]
pub const fn crosses<T: Crosses>() -> bool {
    true
}
