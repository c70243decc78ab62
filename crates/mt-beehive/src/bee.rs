//! What a bee is: a value with asynchronous tasks that are called by name.
//!
//! The traits are written by [`#[worker]`](macro@crate::worker) and [`#[queen]`](macro@crate::queen).

use std::{rc::Rc, sync::Arc, time::Instant};

use bytes::Bytes;
use mt_pool::Wire;
use mt_proto::{TaskId, TaskInfo, encode_checked};
use serde::Serialize;

pub use crate::queen::QueenBee;
use crate::{
    call::TaskCall,
    error::BeehiveError,
    executor::ProgressBuffer,
    queen::{Hive, OwnHive},
    types::TaskTypes,
};

/// The most bytes of what a task says of how far it is.
const MAX_PROGRESS_BYTES: usize = 64 * 1024;

/// A bee: the part that worker bees and queens share.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a bee",
    note = "put `#[mt_beehive::worker]`, or for a queen `#[mt_beehive::queen(worker = Type)]`, on its `impl` block"
)]
pub trait Bee: Sized + 'static {
    /// The name it is registered under: module path and type name.
    const NAME: &'static str;

    /// What it is made of (the seed's `init_args` and `init_kwargs`). A worker bee's crosses to its process.
    type Init: 'static;

    /// The names of its tasks.
    const TASKS: &'static [&'static str];

    /// The types of its tasks, in the same order; empty if nobody has written them down.
    #[doc(hidden)]
    const TYPES: &'static [TaskTypes] = &[];
}

/// A worker bee: lives in a process of its own and does tasks for the queen.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a worker bee",
    note = "put `#[mt_beehive::worker]` on its `impl` block"
)]
pub trait WorkerBee: Bee<Init: Wire> {
    /// Makes the bee, in its process.
    ///
    /// # Errors
    /// Why it can't be made, for people; it is then replaced under the restart budget.
    fn make(init: Self::Init, cx: BeeCx) -> impl Future<Output = Result<Self, String>>;

    /// The bee's own hive, if it has worker bees itself: what [`TaskCx::hive`] starts. Asked once, when the bee
    /// is made.
    #[doc(hidden)]
    fn own_hive(&self) -> Option<OwnHive> {
        None
    }

    /// Calls a task by its name; `None` if there is none of that name.
    #[doc(hidden)]
    fn call(self: Rc<Self>, cx: TaskCx, name: &str, args: Bytes) -> Option<TaskCall>;
}

/// What a bee knows of itself: the argument `cx: BeeCx` of its `new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BeeCx {
    /// The id that the bee's parent has given it: 0, 1, 2 … (the seed's `my_id`).
    pub my_id: u32,
}

/// What a worker bee's task knows of its call: its first argument, `cx: &TaskCx` or `cx: TaskCx`, if it wants
/// to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskCx {
    /// The id of the bee that does the task.
    pub my_id: u32,
    /// The task's id.
    pub task_id: u64,
    /// Which attempt at the task this is: 1, and one more for every bee that had begun it and is gone, charged or not.
    /// What an earlier attempt has written somewhere may be there.
    pub attempt: u32,
    /// When the task is cancelled, if it was delegated with a [`deadline`](crate::Delegate::deadline): its future
    /// is dropped at the `await` where it is.
    pub deadline: Option<Instant>,
    bee: Arc<BeeShared>,
}

/// What all tasks of a bee share.
#[derive(Debug)]
pub(crate) struct BeeShared {
    /// To the bee's parent: how far tasks are.
    pub(crate) progress: Arc<ProgressBuffer>,
    /// To the bee's children, if it may have any.
    pub(crate) below: Option<OwnHive>,
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

    /// The bee's own hive, for a bee with `#[worker(worker = W)]`: what `hive: &Hive<W>` is in its tasks. The hive
    /// is started when this is first called.
    ///
    /// # Errors
    /// [`BeehiveError::NoHive`] when there is none of `W`s, [`BeehiveError::Start`] when it can't be started.
    pub fn hive<W: WorkerBee>(&self) -> Result<Hive<W>, BeehiveError> {
        match &self.bee.below {
            Some(below) => below.hive(),
            None => Err(BeehiveError::NoHive("none is described".into())),
        }
    }

    /// Tells whoever delegated the task how far it is, by any value: see
    /// [`Delegate::on_progress`](crate::Delegate::on_progress), where that type is named again.
    ///
    /// Never waits, and costs an encoding of the value. Of values that come faster than they are sent, every
    /// 10 ms at most, the latest counts; the last one before the task ends always arrives. What does not serialise,
    /// or to more than 64 KiB, is dropped, with a `tracing` event of level warn in this process.
    ///
    /// ```
    /// # use mt_beehive::{TaskCx, hive_of};
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
    /// async fn main() -> anyhow::Result<()> {
    ///     let hive = hive_of::<Copier>(()).processes(1).start()?;
    ///     let files = vec!["a".to_owned(), "b".to_owned()];
    ///     let copied = hive
    ///         .copy(files)
    ///         .on_progress(|(done, of): (usize, usize)| println!("{done} of {of}"))
    ///         .await?;
    ///     assert_eq!(copied, 2);
    ///     hive.shutdown().await;
    ///     Ok(())
    /// }
    /// ```
    pub fn progress(&self, value: &(impl Serialize + ?Sized)) {
        // guarded: by the executor, in whose process this is.
        match encode_checked(value, MAX_PROGRESS_BYTES) {
            Ok(value) => self.bee.progress.tell(TaskId(self.task_id), value.into()),
            Err(error) => {
                let task = self.task_id;
                // guarded: by the executor.
                tracing::warn!(task, %error, "how far a task is can't be sent");
            }
        }
    }
}
