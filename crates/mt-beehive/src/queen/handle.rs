//! The hive as tasks see it: what can be asked of it.

use std::{
    borrow::Cow,
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use mt_pool::Wire;
use mt_proto::Kept;
use serde::Serialize;
use tokio::sync::oneshot;

use super::delegate::Delegate;
use crate::{
    bee::WorkerBee,
    driver::{Command, CommandQueue},
    machine::{
        BUSY_STATUS,
        parent::{BeeStatus, HiveStats},
    },
    returned::Returned,
};

/// The hive: what a queen delegates to. Cheap to clone; may be used from several tasks and threads.
pub struct Hive<W> {
    commands: Arc<CommandQueue>,
    bees: PhantomData<fn() -> W>,
}

impl<W> Clone for Hive<W> {
    fn clone(&self) -> Self {
        Self {
            commands: Arc::clone(&self.commands),
            bees: PhantomData,
        }
    }
}

impl<W: WorkerBee> fmt::Debug for Hive<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hive")
            .field("bees", &W::NAME)
            .finish_non_exhaustive()
    }
}

impl<W: WorkerBee> Hive<W> {
    pub(super) fn new(commands: Arc<CommandQueue>) -> Self {
        Self {
            commands,
            bees: PhantomData,
        }
    }

    pub(super) fn into_commands(self) -> Arc<CommandQueue> {
        self.commands
    }

    /// Delegates the task `name` to a worker bee, for a name that is only known when the program runs; otherwise
    /// the method of that name is safer. `args` is what the task takes: nothing as `()`, its argument, or a tuple
    /// of several. Nothing happens until it is awaited. Dropping what is awaited cancels the task.
    ///
    /// An error that the task returns is told as its text; [`Delegate::raises`] names its type, if that can cross.
    ///
    /// `args`, and `R`, have to be of the types that the task has, or of the same shape: `&str` for `String`, `&[T]`
    /// for `Vec<T>`, a tuple for a struct. Every other type is refused, numbers of another width or sign too, with
    /// [`Undecodable`](crate::error::CrossingProblem::Undecodable), which names both: `3` is an `i32`, so write `3_u64`
    /// for a task that takes a `u64`. For arguments that come from a file there is `delegate_json` (feature `json`).
    ///
    /// ```
    /// # use mt_beehive::hive_of;
    /// # #[derive(Default)] struct Echo;
    /// # #[mt_beehive::worker]
    /// # impl Echo {
    /// #     #[task] async fn repeat(&self, text: String, n: u64) -> String { text.repeat(n as usize) }
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> anyhow::Result<()> {
    /// # let hive = hive_of::<Echo>(()).processes(1).start()?;
    /// let task = std::env::args().nth(1).unwrap_or("repeat".into());
    /// let repeated: String = hive.delegate(task, ("ab", 2_u64)).await?;
    /// assert_eq!(repeated, "abab");
    /// # Ok(())
    /// # }
    /// ```
    pub fn delegate<R: Wire>(&self, name: impl Into<String>, args: impl Serialize) -> Delegate<R> {
        let commands = Arc::clone(&self.commands);
        let (name, args) = (Cow::Owned(name.into()), Kept::new(args));
        Delegate::new::<W, _>(commands, name, &*args, |error| Ok(error.into()))
    }

    /// [`delegate`](Self::delegate) for a name and arguments that come from a file or a user: `args` are read as what
    /// the task takes (nothing as `null`, its argument, or an array of several), and the value is told as JSON.
    /// Arguments that are no such thing are a [`DelegateError::Crossing`](crate::DelegateError::Crossing), and no bee
    /// is asked; so is a value that JSON has no word for (`NaN`, `Some(None)`), which the task has returned. `serde_json`
    /// reads numbers with a fraction to the nearest there is: beyond what an `f32` can be that is infinite. Feature `json`.
    #[cfg(feature = "json")]
    pub fn delegate_json(
        &self,
        name: impl Into<String>,
        args: serde_json::Value,
    ) -> Delegate<serde_json::Value> {
        let commands = Arc::clone(&self.commands);
        Delegate::of_json::<W>(commands, Cow::Owned(name.into()), args)
    }

    /// The same for a task that returns an `R`, which is an outcome as `How` has it. For the macros.
    #[doc(hidden)]
    pub fn __delegate<V: Wire, How: Returned<R, Value = V>, R>(
        &self,
        name: &'static str,
        args: impl Serialize,
    ) -> Delegate<V, How::Raised> {
        let (commands, args) = (Arc::clone(&self.commands), Kept::new(args));
        Delegate::new::<W, _>(commands, Cow::Borrowed(name), &*args, How::read)
    }

    /// How busy a worker bee is: 0 is free, 1 is full; 0 without a limit. One of them answers, while it works.
    pub fn busy_status(&self) -> Delegate<f64> {
        self.delegate(BUSY_STATUS, ())
    }

    /// One worker bee more than there are to be, at once and until one is [buried](Self::bury), whether or not
    /// what is returned is awaited. That ends with the bee's id when its process is being started, under the
    /// [restart budget](crate::limits::WorkerOptions::restart_budget), and with `None` when the hive is interrupted, or
    /// no bee is left and the budget is spent: then the bee is started when the budget's period is over.
    /// [`bees`](Self::bees) tells the process's id.
    ///
    /// The seed's `subprocess_workerbee` returns the bee's process and its two queues; here the hive keeps those.
    ///
    /// ```
    /// # use mt_beehive::hive_of;
    /// # #[derive(Default)] struct Worker;
    /// # #[mt_beehive::worker] impl Worker { #[task] async fn work(&self) {} }
    /// # #[mt_beehive::main]
    /// # async fn main() -> anyhow::Result<()> {
    /// let hive = hive_of::<Worker>(()).processes(0).start()?;
    /// let bee = hive.spawn().await;
    /// assert_eq!(bee, Some(0));
    /// let (_, by) = hive.work().with_bee().await;
    /// assert_eq!(by, bee);
    /// assert_eq!(hive.bury(bee).await, bee); // the worker bee's process is gone now
    /// assert_eq!(hive.bees().await, []);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "subprocess_workerbee")]
    pub fn spawn(&self) -> Asking {
        self.ask(Command::Spawn)
    }

    /// One worker bee less: this one, or the one with the least to do. The bee finishes what it has, and goes,
    /// whether or not what is returned is awaited. That ends with the bee's id when its process is reaped, and
    /// with `None` at once if there is no such bee, or it is dying anyway.
    pub fn bury(&self, child: Option<u32>) -> Asking {
        self.ask(|reply_tx| Command::Bury(child, reply_tx))
    }

    fn ask(&self, what: impl FnOnce(oneshot::Sender<Option<u32>>) -> Command) -> Asking {
        let (reply_tx, reply_rx) = oneshot::channel();
        self.commands.tell(what(reply_tx));
        Asking(reply_rx)
    }

    /// The worker bees there are at this moment, oldest first; also while the hive dies, with how far each is, and
    /// none when it is dead. The hive is asked and not the bees, so that nobody waits for any of them.
    pub async fn bees(&self) -> Vec<BeeStatus> {
        let (reply_tx, reply_rx) = oneshot::channel();
        self.commands.tell(Command::Bees(reply_tx));
        reply_rx.await.unwrap_or_default()
    }

    /// What the hive has done so far. It can still be asked when the hive is dead, by a clone that was kept: it
    /// is then what it has done in its life.
    pub async fn stats(&self) -> HiveStats {
        let (reply_tx, reply_rx) = oneshot::channel();
        self.commands.tell(Command::Stats(reply_tx));
        let stats = reply_rx.await;
        stats.unwrap_or_else(|_| self.commands.last_stats())
    }

    /// Waiting until Ctrl-C has interrupted the hive; for ever if that does not happen. For a queen who would
    /// go on for ever herself, or has something to say to who waits. What it means for tasks is said at
    /// [`workers`](crate::BeehiveRun::workers). Cancel-safe.
    pub async fn interrupted(&self) {
        let mut interrupted = self.commands.interrupted.subscribe();
        let told = interrupted.wait_for(|&interrupted| interrupted).await;
        told.expect("its sender is borrowed here");
    }
}

/// What comes of something that a hive was asked for: a future of the bee's id. What was asked for is done whether
/// or not anybody awaits this. `None` when the hive has died before, or there is no such bee.
#[derive(Debug)]
pub struct Asking(oneshot::Receiver<Option<u32>>);

impl Future for Asking {
    type Output = Option<u32>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.0).poll(cx);
        polled.map(|reply| reply.ok().flatten())
    }
}
