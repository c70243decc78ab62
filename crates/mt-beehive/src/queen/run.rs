//! A hive that is being described, and the ways to start it without a queen.

use std::fmt;

use mt_pool::{
    StartError, Wire,
    limits::WorkerOptions,
    supervision::{SpawnSpec, WorkerEvents},
};
use mt_proto::{
    Attachments, EncodedValue, Kept, MAX_RECORD_BYTES, WorkerId, encode, encode_attaching_guarded,
};

use super::{deadlines::Deadlines, handle::Hive, options::HiveOptions, running::RunningHive};
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
    init: Kept<W::Init>,
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
            init: Kept::new(init),
            queen,
            options: HiveOptions::default(),
        }
    }

    /// The worker bees, each in a process of its own: a number of them, or `1..=8`, as many as there is use for, or a
    /// [`Population`], which says more. At most 4096. Default: from 1 to the processors less one.
    #[doc(alias = "population")]
    #[doc(alias = "pool_processes")]
    pub fn processes(mut self, bees: impl Into<Population>) -> Self {
        self.options.population = bees.into();
        self
    }

    /// The most tasks a worker bee does at once, at least 1. Default 1024; `None` is no limit.
    pub fn max_concurrency(mut self, tasks: impl Into<Option<u32>>) -> Self {
        self.options.max_concurrency = tasks.into();
        self
    }

    /// How tasks find their bees. Default: [`Dispatch::Auction`], as in the seed.
    pub fn dispatch(mut self, dispatch: Dispatch) -> Self {
        self.options.dispatch = dispatch;
        self
    }

    /// How many bees may die while a task runs before it is given up, at least 1. Default 3; with 1 no task is ever
    /// started twice.
    ///
    /// All tasks of a bee that dies are begun again, fewer at once than before, by a bee that does nothing
    /// else meanwhile, and in the last attempt each alone. So with 2 and more only the task that kills is given
    /// up. With 2, whatever a bee had is done one by one after its death; more deaths find the culprit sooner.
    pub fn crash_limit(mut self, deaths: u32) -> Self {
        self.options.crash_limit = deaths;
        self
    }

    /// How long bees may take to be made and to go, and cancelled tasks to stop.
    #[doc(alias = "init_deadline")]
    #[doc(alias = "exit_grace")]
    #[doc(alias = "cancel_grace")]
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.options.deadlines = deadlines;
        self
    }

    /// How worker bees' processes are started, watched and heard: the pool's [`WorkerOptions`]. In a hive
    ///
    /// * the [restart budget](WorkerOptions::restart_budget) is of bees that die before they have finished a task and
    ///   that no task can be blamed for.
    /// * a bee is *blocked*, for the [liveness](WorkerOptions::liveness), when a task has not given its thread back
    ///   for 60 beats (30 s), whatever it does meanwhile: a plain `fn` that computes for that long is. A bee that is
    ///   stopped, silent or blocked is a `tracing` event of level warn. Tasks of one that is killed are treated as
    ///   after any death, and the bee is replaced.
    /// * the first Ctrl-C [interrupts](WorkerOptions::on_interrupt) the hive: tasks that bees have begun go on to their
    ///   end, also those of their own bees. All others, and those that are delegated from then on, end as
    ///   [`CancelReason::Interrupted`](crate::CancelReason::Interrupted), which says whether anything of them was done;
    ///   no bee is started any more. The queen sees how the tasks end and returns, or hears of it by
    ///   [`Hive::interrupted`]; then the hive ends as ever. The second Ctrl-C, or one when no hive lives, ends the
    ///   process at once, and its bees with it. In a worker bee that has bees this has no effect: it is for the queen
    ///   to decide. The first `SIGTERM` does the same where [that is wanted](WorkerOptions::on_terminate). With
    ///   [`OnSignal::AtOnce`](mt_pool::OnSignal) tasks that bees have begun are cancelled as well, with the `cancel_grace`.
    /// * `tracing` events that are [forwarded](WorkerOptions::forward_tracing) have the fields `worker`, the bee's
    ///   id, and `pid`. The end of what a bee has written to its [standard error](WorkerOptions::stderr), and its last
    ///   events, are part of the reason when a task is lost with it.
    #[doc(alias = "restart_budget")]
    #[doc(alias = "liveness")]
    #[doc(alias = "on_interrupt")]
    #[doc(alias = "on_terminate")]
    #[doc(alias = "forward_tracing")]
    #[doc(alias = "worker_stderr")]
    pub fn workers(mut self, options: WorkerOptions) -> Self {
        self.options.workers = options;
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
    /// # // Case H2: The hive goes anywhere: into tasks of a runtime, into the state of a server.
    /// # use mt_beehive::{Hive, hive_of};
    /// # #[derive(Default)] struct Resizer;
    /// # #[mt_beehive::worker] impl Resizer { #[task] async fn resize(&self, image: Vec<u8>) -> Vec<u8> { image } }
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
        let init = encoded(&*init)?;
        let (config, on_signals) = (options.config(), options.workers.on_signals);
        let spec = spec::<W>(init, &options)?;
        let commands = CommandQueue::new();
        let (taken, relay) = (commands.clone(), WorkerEvents::here());
        let driven = drive(on_signals, move |interrupts| {
            Driver::new(config, (spec, relay), taken, interrupts)
        });
        let driven = driven.map_err(StartError::Thread)?;
        Ok(RunningHive::new(Hive::new(commands), driven))
    }

    /// Starts the hive, runs `task` to its end, and then lets the hive die.
    ///
    /// Worker bees are gone when this ends, in whatever way: when the task has returned they finish what they
    /// have and die, as with [`shutdown`](RunningHive::shutdown); when this future is dropped, or the task panics, they are
    /// killed.
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

/// What the bees are made of, with its blobs beside it.
fn encoded(init: &impl Wire) -> Result<EncodedValue, StartError> {
    let mut attachments = Attachments::NONE;
    let bytes = encode_attaching_guarded(init, MAX_RECORD_BYTES, &mut attachments);
    let bytes = bytes.map_err(|error| StartError::Value {
        option: "init",
        message: error.to_string(),
    })?;
    Ok(EncodedValue {
        bytes: bytes.into(),
        attachments,
    })
}

/// How the bees' processes are started.
fn spec<W: WorkerBee>(init: EncodedValue, options: &HiveOptions) -> Result<SpawnSpec, StartError> {
    let max_concurrency = options.max_concurrency;
    let EncodedValue {
        bytes: init,
        attachments,
    } = init;
    let setup = move |worker: WorkerId| {
        let setup = BeeSetup {
            bee: name_of::<W>(),
            my_id: worker.0,
            init: init.clone(),
            max_concurrency,
        };
        // guarded: a value of ours.
        let encoded = encode(&setup, usize::MAX);
        encoded
            .expect("strings, numbers and bytes always encode")
            .into()
    };
    let mut spec = options.workers.spawn_spec(WORKER_BEE, setup)?;
    spec.attachments = attachments;
    spec.init_deadline = options.deadlines.init;
    spec.exit_grace = options.deadlines.exit_grace;
    Ok(spec)
}
