//! A hive that is being described, and the ways to start it without a queen.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mt_pool::{
    LivenessPolicy, OnInterrupt, RestartBudget, StartError, WorkerStderr,
    supervision::{SpawnSpec, WorkerEvents},
};
use mt_proto::{MAX_RECORD_BYTES, WorkerId, encode};
use tracing::level_filters::LevelFilter;

use super::{handle::Hive, options::HiveOptions, running::RunningHive};
use crate::{
    bee::WorkerBee,
    driver::{CommandQueue, Driver, drive},
    error::BeehiveError,
    machine::parent::{Dispatch, Population},
    registry::{BeeSetup, WORKER_BEE, name_of},
};

/// A hive of worker bees `W`, each made of `init`, that is its own queen: whoever has the [`Hive`] delegates to it.
///
/// The hive is [run](BeehiveRun::run) for a closure, or [started](BeehiveRun::start) as a value, on whatever runtime
/// there is.
///
/// ```
/// use mt_beehive::hive_of;
///
/// #[derive(Default)]
/// struct Squarer;
///
/// #[mt_beehive::worker]
/// impl Squarer {
///     #[task]
///     async fn square(&self, n: u64) -> u64 {
///         n * n
///     }
/// }
///
/// #[mt_beehive::main]
/// async fn main() -> anyhow::Result<()> {
///     let sum = hive_of::<Squarer>(()).processes(2).run(async |hive| {
///         let (a, b) = tokio::try_join!(hive.square(3), hive.square(4))?;
///         anyhow::Ok(a + b)
///     });
///     assert_eq!(sum.await?, 25);
///     Ok(())
/// }
/// ```
pub fn hive_of<W: WorkerBee>(init: W::Init) -> BeehiveRun<W> {
    BeehiveRun::new(init, WithoutQueen(()))
}

/// A hive that is being described. Made by [`hive_of`], or with a queen by
/// [`beehive_run`](crate::beehive_run). What is out of its range is an error when the hive is started.
#[must_use = "nothing happens until the hive is run or started"]
pub struct BeehiveRun<W: WorkerBee, Q = WithoutQueen> {
    init: W::Init,
    pub(super) queen: Q,
    options: HiveOptions,
}

/// Says of a [`BeehiveRun`] that there is no queen.
#[derive(Debug)]
pub struct WithoutQueen(());

impl<W: WorkerBee, Q: fmt::Debug> fmt::Debug for BeehiveRun<W, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeehiveRun")
            .field("bees", &W::NAME)
            .field("queen", &self.queen)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<W: WorkerBee, Q> BeehiveRun<W, Q> {
    pub(super) fn new(init: W::Init, queen: Q) -> Self {
        Self {
            init,
            queen,
            options: HiveOptions::default(),
        }
    }

    /// So many worker bees, each in a process of its own: [`Population::Fixed`]. Default: their number is elastic,
    /// see [`population`](Self::population).
    #[doc(alias = "pool_processes")]
    pub fn processes(self, bees: usize) -> Self {
        self.population(Population::Fixed(bees))
    }

    /// How many worker bees there are. Default: elastic, from 1 to the processors less one, looked at every
    /// second.
    pub fn population(mut self, population: Population) -> Self {
        self.options.config.population = population;
        self
    }

    /// The most tasks a worker bee does at once, at least 1. Default 1024; `None` is no limit.
    pub fn max_concurrency(mut self, tasks: impl Into<Option<u32>>) -> Self {
        self.options.max_concurrency = tasks.into();
        self
    }

    /// How tasks find their bees. Default: [`Dispatch::Auction`], as in the seed.
    pub fn dispatch(mut self, dispatch: Dispatch) -> Self {
        self.options.config.dispatch = dispatch;
        self
    }

    /// How many bees may die while a task runs before it is given up, at least 1. Default 3; with 1 no task is ever
    /// started twice.
    ///
    /// All tasks of a bee that dies are begun again, fewer at once than before, by a bee that does nothing
    /// else meanwhile, and in the last attempt each alone. So with 2 and more only the task that kills is given
    /// up. With 2, whatever a bee had is done one by one after its death; more deaths find the culprit sooner.
    pub fn crash_limit(mut self, deaths: u32) -> Self {
        self.options.config.crash_limit = deaths;
        self
    }

    /// How many bees in a row may die for nothing before the hive gives up. Default: [`RestartBudget::default`].
    pub fn restart_budget(mut self, budget: RestartBudget) -> Self {
        self.options.config.restarts = budget;
        self
    }

    /// How long a worker bee that was told to die may take once its last task is done; it is then killed.
    /// Default 5 s, at most a year. It is the bee's time to close what it has open, and to be scheduled at all on a
    /// machine that is overloaded; no task is affected. With zero the bee is killed as soon as it has nothing to do.
    pub fn exit_grace(mut self, grace: Duration) -> Self {
        self.options.config.exit_grace = grace;
        self
    }

    /// How long a task goes on, at most, after it was cancelled: by its deadline, or because nobody waits for it.
    /// Its bee is then killed, and what else that did is begun again elsewhere. Default 50 ms, which is long for
    /// a task that gives its thread back at an `await`, and makes an end of one that does not soon enough; at most a
    /// year. Give more to bees with blocking pieces of work worth waiting for; with zero every cancelling kills.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.options.config.cancel_grace = grace;
        self
    }

    /// How long a worker bee may take to be made: its `new`. Default 60 s, as in the pool; from 1 ms to a year. One
    /// that takes longer is killed and replaced under the [restart budget](Self::restart_budget).
    pub fn init_deadline(mut self, limit: Duration) -> Self {
        self.options.init_deadline = limit;
        self
    }

    /// When a worker bee that gives no sign of life, or gets no further, is told of, and when it is killed.
    /// Default: it beats every 0.5 s, as in the seed, and is killed after 5 missed beats; one that somebody has
    /// stopped (`SIGSTOP`, a debugger) is told of and left alone, and so is one that is blocked.
    ///
    /// The policy is the pool's [`LivenessPolicy`], with an interval from 1 ms to a year, and at least one check. A bee is
    /// *blocked* when a task has not given its thread back for
    /// [`blocked_checks`](LivenessPolicy::blocked_checks) intervals (30 s), whatever it does meanwhile: a
    /// plain `fn` that computes for that long is. What is told is a `tracing` event of level warn. Tasks of a
    /// bee that is killed are treated as after any death, and the bee is replaced.
    pub fn liveness(mut self, policy: LivenessPolicy) -> Self {
        self.options.liveness = policy;
        self
    }

    /// Where a worker bee's standard error goes. Default [`WorkerStderr::Forward`]: to this process's own, by a
    /// pipe. The end of it is then part of the reason when a task is lost with its bee, in the lines after the first:
    /// an `abort` of a C library, a sanitizer and a stack overflow leave their message there. With the bee's last
    /// `tracing` events it is at most 2 KiB, what a terminal would obey escaped.
    pub fn worker_stderr(mut self, mode: WorkerStderr) -> Self {
        self.options.worker_stderr = mode;
        self
    }

    /// The `tracing` events of worker bees that are emitted again in this process. Default: those that this
    /// process's subscribers enable when the hive starts, as far as they say it by a level; without a subscriber
    /// none, and then they cost nothing.
    ///
    /// The events go to the subscriber and under the span that are current when the hive starts, with their own level,
    /// target, place and fields (as text), and the fields `worker`, the bee's id, and `pid`. The rest is as with
    /// the pool's workers, see [`WorkerOptions::forward_tracing`](mt_pool::limits::WorkerOptions::forward_tracing): a
    /// subscriber that a bee sets in `new` takes the place of all this, and can call
    /// [`forward_event`](crate::log::forward_event). The last 16 events of a bee that dies are among its last words.
    /// Those of a bee's own worker bees come by that bee.
    pub fn forward_tracing(mut self, least: LevelFilter) -> Self {
        self.options.forward_tracing = Some(least);
        self
    }

    /// What Ctrl-C does while the hive lives. Default: [`OnInterrupt::Drain`], as in the pool.
    ///
    /// The first one interrupts the hive: tasks that bees have begun go on to their end, also those of their
    /// own bees. All others, and those that are delegated from then on, end as
    /// [`CancelReason::Interrupted`](crate::CancelReason::Interrupted), which says whether anything of it was done;
    /// no bee is started any more. The queen sees how the tasks end and
    /// returns, or hears of it by [`Hive::interrupted`]; then the hive ends as ever. The second one, or one when
    /// no hive lives, ends the process at once, as if nothing had been changed, and its bees with it. A handler
    /// that the program has installed before is left alone and still called.
    ///
    /// Worker bees are in process groups of their own, so the terminal's Ctrl-C does not reach them. In a worker
    /// bee that has bees this option has no effect: it is for the queen to decide.
    pub fn on_interrupt(mut self, policy: OnInterrupt) -> Self {
        self.options.on_interrupt = policy;
        self
    }

    /// Options that are kept elsewhere, or that hold only sometimes: `change` is given the hive and gives it back.
    pub fn configure(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }

    /// Checks the options: before a queen is made.
    pub(super) fn check(&self) -> Result<(), StartError> {
        self.options.check()
    }

    /// The hive and its queen apart.
    pub(super) fn without_queen(self) -> (BeehiveRun<W>, Q) {
        let run = BeehiveRun {
            init: self.init,
            queen: WithoutQueen(()),
            options: self.options,
        };
        (run, self.queen)
    }
}

impl<W: WorkerBee> BeehiveRun<W> {
    /// Starts the hive, as a value: for a server, or whatever else is no closure. The worker bees come up meanwhile;
    /// what is delegated waits for them.
    ///
    /// The [`RunningHive`] can be used like the [`Hive`], and lives until it is
    /// [shut down](RunningHive::shutdown) or dropped, which kills the worker bees. Clones of its `Hive` go anywhere:
    ///
    /// ```
    /// # use mt_beehive::{Hive, hive_of};
    /// # #[derive(Default)]
    /// # struct Resizer;
    /// # #[mt_beehive::worker]
    /// # impl Resizer {
    /// #     #[task]
    /// #     async fn resize(&self, image: Vec<u8>) -> Vec<u8> { image }
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> anyhow::Result<()> {
    /// let hive = hive_of::<Resizer>(()).processes(2).start()?;
    /// let handle: Hive<Resizer> = hive.clone();
    /// let request = tokio::spawn(async move { handle.resize(vec![1, 2]).await });
    /// assert_eq!(request.await??, [1, 2]);
    /// hive.shutdown().await; // the worker bees' processes are gone now
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`BeehiveError::Start`]: nothing was started.
    pub fn start(self) -> Result<RunningHive<Hive<W>>, BeehiveError> {
        let Self { init, options, .. } = self;
        options.check()?;
        let init = encode(&init, MAX_RECORD_BYTES).map_err(|error| StartError::Value {
            option: "init",
            message: error.to_string(),
        })?;
        let (config, on_interrupt) = (options.config.clone(), options.on_interrupt);
        let spec = spec::<W>(init.into(), options)?;
        let commands = CommandQueue::new();
        let (taken, relay) = (commands.clone(), WorkerEvents::here());
        let driven = drive(on_interrupt, move |interrupts| {
            Driver::new(config, (spec, relay), taken, interrupts)
        });
        let driven = driven.map_err(StartError::Thread)?;
        Ok(RunningHive::new(Hive::new(commands), driven))
    }

    /// Starts the hive, runs `task` to its end, and then lets the hive die.
    ///
    /// Worker bees are gone when this ends, in whatever way: when the task has returned they finish what they
    /// have and die; when this future is dropped, or the task panics, they are killed.
    ///
    /// `E` is whatever a [`BeehiveError`] can be made into; a closure that uses `?` has to name it somewhere, as
    /// `anyhow::Ok(…)` does in the [example](hive_of).
    ///
    /// # Errors
    /// The errors of `task`, and before it [`BeehiveError::Start`].
    pub async fn run<T, F, R, E>(self, task: T) -> Result<R, E>
    where
        T: FnOnce(Hive<W>) -> F,
        F: Future<Output = Result<R, E>>,
        E: From<BeehiveError>,
    {
        let hive = self.start()?;
        let result = task(hive.clone()).await;
        hive.shutdown().await;
        result
    }
}

/// How the bees' processes are started.
fn spec<W: WorkerBee>(init: Bytes, options: HiveOptions) -> Result<SpawnSpec, StartError> {
    let max_concurrency = options.max_concurrency;
    let setup = move |worker: WorkerId| {
        let setup = BeeSetup {
            bee: name_of::<W>(),
            my_id: worker.0,
            init: init.clone(),
            max_concurrency,
        };
        let encoded = encode(&setup, usize::MAX);
        encoded
            .expect("strings, numbers and bytes always encode")
            .into()
    };
    let mut spec = SpawnSpec::new(WORKER_BEE, options.forward_tracing, setup)?;
    spec.command.stderr = options.worker_stderr;
    spec.liveness = options.liveness;
    spec.init_deadline = options.init_deadline;
    Ok(spec)
}
