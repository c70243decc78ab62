//! The hive as tasks see it, and the desk where what they ask for waits for the driver.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::Arc};

use mt_pool::Wire;
use serde::Serialize;
use tokio::sync::oneshot;

use super::{asking::Asking, delegate::Delegate};
use crate::{
    WorkerBee,
    driver::{Command, CommandQueue, census::BeeStatus},
    machine::parent::HiveStats,
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
    /// of several. Nothing happens until it is awaited; then it ends with how the task ended, and who did it.
    ///
    /// Dropping what is awaited cancels the task.
    ///
    /// Values cross without their types. `args`, and `R`, have to be of the types that the task has, or what is
    /// encoded like them: `&str` for `String`, `&[T]` for `Vec<T>`. What has another shape mostly raises; but
    /// bytes that happen to be a value of the other type are taken for it, and `3`, an `i32`, is read as 6 by a
    /// task that takes a `u64`. So write `3_u64`.
    ///
    /// ```
    /// # use mt_beehive::{BeehiveError, Population, hive_of};
    /// # #[derive(Default)]
    /// # struct Echo;
    /// # #[mt_beehive::worker]
    /// # impl Echo {
    /// #     #[task]
    /// #     async fn repeat(&self, text: String, times: u64) -> String {
    /// #         text.repeat(times as usize)
    /// #     }
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> Result<(), BeehiveError> {
    /// # hive_of::<Echo>(()).population(Population::Fixed(1)).run(async |hive| {
    /// let task = std::env::args().nth(1).unwrap_or("repeat".into());
    /// let (result, _bee) = hive.delegate::<String>(task, ("ab", 2_u64)).await;
    /// assert_eq!(result.ok().unwrap(), "abab");
    /// # }).await
    /// # }
    /// ```
    pub fn delegate<R: Wire>(&self, name: impl Into<String>, args: impl Serialize) -> Delegate<R> {
        Delegate::new(Arc::clone(&self.commands), Cow::Owned(name.into()), &args)
    }

    /// The same for a name known when the program was compiled. For the macros.
    #[doc(hidden)]
    pub fn __delegate<R: Wire>(&self, name: &'static str, args: impl Serialize) -> Delegate<R> {
        Delegate::new(Arc::clone(&self.commands), Cow::Borrowed(name), &args)
    }

    /// How busy a worker bee is: 0 is free, 1 is full; 0 without a limit. One of them answers.
    pub fn busy_status(&self) -> Delegate<f64> {
        self.__delegate("busy_status", ())
    }

    /// One worker bee more than there are to be, at once and until one is [buried](Self::bury). It is done
    /// whether or not what is returned is awaited; that ends with her id when her process is being started,
    /// under the [`restart_budget`](crate::BeehiveRun::restart_budget); with `None` when the hive is interrupted.
    /// [`bees`](Self::bees) tells her process's
    /// id.
    ///
    /// The seed's `subprocess_workerbee` returns her process and her two queues; here the hive keeps those.
    ///
    /// ```
    /// # use mt_beehive::{BeehiveError, Population, hive_of};
    /// # #[derive(Default)]
    /// # struct Worker;
    /// # #[mt_beehive::worker]
    /// # impl Worker {
    /// #     #[task]
    /// #     async fn work(&self) {}
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> Result<(), BeehiveError> {
    /// hive_of::<Worker>(()).population(Population::Fixed(0)).run(async |hive| {
    ///     let bee = hive.spawn().await;
    ///     assert_eq!(bee, Some(0));
    ///     let (_, by) = hive.work().await;
    ///     assert_eq!(by, bee);
    ///     assert_eq!(hive.bury(bee).await, bee); // her process is gone now
    ///     assert_eq!(hive.bees().await, []);
    /// }).await
    /// # }
    /// ```
    #[doc(alias = "subprocess_workerbee")]
    pub fn spawn(&self) -> Asking {
        let (reply_tx, commands) = Asking::new();
        self.commands.tell(Command::Spawn(reply_tx));
        commands
    }

    /// One worker bee less: this one, or the one with the least to do. She finishes what she has, and goes. It is
    /// done whether or not what is returned is awaited; that ends with her id when her process is reaped, and
    /// with `None` at once if there is no such bee, or she is dying anyway.
    pub fn bury(&self, child: Option<u32>) -> Asking {
        let (reply_tx, commands) = Asking::new();
        self.commands.tell(Command::Bury(child, reply_tx));
        commands
    }

    /// The worker bees there are at this moment, oldest first; none when the hive is dead. Asks the hive and not
    /// the bees, so it does not wait for any of them.
    pub async fn bees(&self) -> Vec<BeeStatus> {
        let (reply_tx, commands) = oneshot::channel();
        self.commands.tell(Command::Bees(reply_tx));
        commands.await.unwrap_or_default()
    }

    /// What the hive has done so far. It can still be asked when the hive is dead, by a clone that was kept: it
    /// is then what it has done in its life.
    pub async fn stats(&self) -> HiveStats {
        let (reply_tx, commands) = oneshot::channel();
        self.commands.tell(Command::Stats(reply_tx));
        commands
            .await
            .unwrap_or_else(|_| self.commands.last_stats())
    }
}

impl<W: WorkerBee> Hive<W> {
    /// Waiting until Ctrl-C has interrupted the hive; for ever if that does not happen. For a queen who would
    /// go on for ever herself, or has something to say to who waits. What it means for tasks is said at
    /// [`on_interrupt`](crate::BeehiveRun::on_interrupt). Cancel-safe.
    pub async fn interrupted(&self) {
        let mut interrupted = self.commands.interrupted.subscribe();
        let reply_tx = interrupted.wait_for(|&interrupted| interrupted).await;
        reply_tx.expect("its sender is borrowed here");
    }
}
