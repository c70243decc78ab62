//! A hive that is being described, and the plain way to run it: a closure that delegates.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mt_pool::{
    LivenessPolicy, OnInterrupt, RestartBudget, StartError, WorkerStderr,
    supervision::{SpawnSpec, WorkerEvents},
};
use mt_proto::{MAX_RECORD_BYTES, WorkerId, encode};
use tracing::level_filters::LevelFilter;

use super::{error::BeehiveError, handle::Hive};
use crate::{
    Dispatch, Population, WorkerBee,
    driver::{CommandQueue, Driven, Driver, drive},
    machine::parent::Config,
    registry::{BeeSetup, WORKER_BEE, name_of},
};

/// The most tasks a worker bee does at once, as in the seed.
const MAX_CONCURRENCY: u32 = 1024;

/// What a shorter time is lengthened to.
const SHORTEST: Duration = Duration::from_millis(1);
/// What a longer time is cut to: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A hive of worker bees `W`, each made of `init`, to be run by a closure that delegates to it.
///
/// It is [`beehive_run`](crate::beehive_run) for a queen that is no type of her own: she is whatever the
/// closure keeps. She lives in this process, on the caller's runtime, whichever that is.
///
/// ```
/// use mt_beehive::{Population, hive_of};
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
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let hive = hive_of::<Squarer>(()).population(Population::Fixed(2));
///     let sum = hive.run(async |hive| {
///         let (a, b) = tokio::join!(hive.square(3), hive.square(4));
///         Ok::<_, String>(a.0.ok()? + b.0.ok()?)
///     });
///     assert_eq!(sum.await??, 25);
///     Ok(())
/// }
/// ```
pub fn hive_of<W: WorkerBee>(init: W::Init) -> BeehiveRun<W> {
    BeehiveRun::new(init, WithoutQueen(()))
}

/// The seed's: processors less one, at least one.
fn default_max() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.saturating_sub(1).max(1)
}

/// A hive that is being described. Made by [`hive_of`], or with a queen by
/// [`beehive_run`](crate::beehive_run).
#[must_use = "nothing happens until `run` is awaited"]
pub struct BeehiveRun<W: WorkerBee, Q = WithoutQueen> {
    init: W::Init,
    pub(super) queen: Q,
    max_concurrency: Option<u32>,
    config: Config,
    nursing: Nursing,
    on_interrupt: OnInterrupt,
}

/// How single bees are treated.
#[derive(Debug, Clone)]
struct Nursing {
    liveness: LivenessPolicy,
    init_deadline: Duration,
    stderr: WorkerStderr,
    trace: Option<LevelFilter>,
}

/// Says of a [`BeehiveRun`] that its queen is a closure.
#[derive(Debug)]
pub struct WithoutQueen(());

impl<W: WorkerBee, Q: fmt::Debug> fmt::Debug for BeehiveRun<W, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeehiveRun")
            .field("bees", &W::NAME)
            .field("queen", &self.queen)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<W: WorkerBee, Q> BeehiveRun<W, Q> {
    pub(super) fn new(init: W::Init, queen: Q) -> Self {
        Self {
            init,
            queen,
            max_concurrency: Some(MAX_CONCURRENCY),
            config: Config {
                dispatch: Dispatch::default(),
                population: Population::Elastic {
                    min: 1,
                    max: default_max(),
                    period: Duration::from_secs(1),
                },
                crash_limit: 3,
                restarts: RestartBudget::default(),
                exit_grace: Duration::from_secs(5),
                cancel_grace: Duration::from_millis(50),
            },
            nursing: Nursing {
                liveness: LivenessPolicy::default(),
                init_deadline: Duration::from_secs(60),
                stderr: WorkerStderr::Forward,
                trace: None,
            },
            on_interrupt: OnInterrupt::default(),
        }
    }

    /// The most tasks a worker bee does at once, at least 1. Default 1024; `None` is no limit.
    pub fn max_concurrency(mut self, tasks: impl Into<Option<u32>>) -> Self {
        self.max_concurrency = tasks.into().map(|most: u32| most.max(1));
        self
    }

    /// How many worker bees there are. Default: elastic, from 1 to the processors less one, looked at every
    /// second. A period under 1 ms counts as 1 ms.
    pub fn population(mut self, population: Population) -> Self {
        self.config.population = match population {
            Population::Elastic { min, max, period } => Population::Elastic {
                min,
                max,
                period: period.clamp(SHORTEST, LONGEST),
            },
            fixed @ Population::Fixed(_) => fixed,
        };
        self
    }

    /// How tasks find their bees. Default: [`Dispatch::Auction`], as in the seed.
    pub fn dispatch(mut self, dispatch: Dispatch) -> Self {
        self.config.dispatch = dispatch;
        self
    }

    /// How many bees may die while a task runs before it is given up. Default 3; with 0 or 1 no task is ever
    /// started twice.
    ///
    /// All tasks of a bee that dies are begun again, fewer at once than before, by a bee that does nothing
    /// else meanwhile, and in the last attempt each alone. So with 2 and more only the task that kills is given
    /// up. With 2, whatever a bee had is done one by one after her death; more deaths find the culprit sooner.
    pub fn crash_limit(mut self, deaths: u32) -> Self {
        self.config.crash_limit = deaths;
        self
    }

    /// How many bees in a row may die for nothing before the hive gives up.
    pub fn restart_budget(mut self, budget: RestartBudget) -> Self {
        self.config.restarts = budget;
        self
    }

    /// How long a worker bee that was told to die may take once her last task is done; she is then killed.
    /// Default 5 s. It is her time to close what she has open, and to be scheduled at all on a machine that is
    /// overloaded; none of her tasks is affected. With zero she is killed as soon as she has nothing to do.
    pub fn exit_grace(mut self, grace: Duration) -> Self {
        self.config.exit_grace = grace.min(LONGEST);
        self
    }

    /// How long a task goes on, at most, after it was cancelled: by its deadline, or because nobody waits for it.
    /// Its bee is then killed, and what else she did is begun again elsewhere. Default 50 ms, which is long for
    /// a task that gives its thread back at an `await`, and makes an end of one that does not soon enough. Give
    /// more to bees with blocking pieces of work worth waiting for; with zero every cancelling kills.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.config.cancel_grace = grace.min(LONGEST);
        self
    }

    /// How long a worker bee may take to be made: her `new`. Default 60 s, as in the pool, at least 1 ms. One
    /// that takes longer is killed and replaced under the [restart budget](Self::restart_budget).
    pub fn init_deadline(mut self, limit: Duration) -> Self {
        self.nursing.init_deadline = limit.clamp(SHORTEST, LONGEST);
        self
    }

    /// When a worker bee that gives no sign of life, or gets no further, is told of, and when she is killed.
    /// Default: she beats every 0.5 s, as in the seed, and is killed after 5 missed beats; one that somebody has
    /// stopped (`SIGSTOP`, a debugger) is told of and left alone, and so is one that is blocked.
    ///
    /// It is the pool's [`LivenessPolicy`]. A bee is *blocked* when a task of hers has not given her thread back
    /// for [`blocked_checks`](LivenessPolicy::blocked_checks) intervals (30 s), whatever it does meanwhile: a
    /// plain `fn` that computes for that long is. What is told is a `tracing` event of level warn. Tasks of a
    /// bee that is killed are treated as after any death, and she is replaced. An interval under 1 ms counts as
    /// 1 ms, and no checks as one.
    pub fn liveness(mut self, policy: LivenessPolicy) -> Self {
        self.nursing.liveness = LivenessPolicy {
            interval: policy.interval.clamp(SHORTEST, LONGEST),
            missed_beats: policy.missed_beats.max(1),
            blocked_checks: policy.blocked_checks.max(1),
            ..policy
        };
        self
    }

    /// Where a worker bee's standard error goes. Default [`WorkerStderr::Forward`]: to this process's own, by a
    /// pipe. The end of it is then part of the reason when a task is lost with her, in the lines after the first:
    /// an `abort` of a C library, a sanitizer and a stack overflow leave their message there. With her last
    /// `tracing` events it is at most 2 KiB, what a terminal would obey escaped.
    pub fn worker_stderr(mut self, mode: WorkerStderr) -> Self {
        self.nursing.stderr = mode;
        self
    }

    /// The `tracing` events of worker bees that are emitted again in this process. Default: those that this
    /// process's subscribers enable when the run starts, as far as they say it by a level; without a subscriber
    /// none, and then they cost nothing.
    ///
    /// They go to the subscriber and under the span that are current when the run starts, with their own level,
    /// target, place and fields (as text), and the fields `worker`, the bee's id, and `pid`. The rest is as with
    /// the pool's workers, see [`WorkerOptions::forward_tracing`](mt_pool::limits::WorkerOptions::forward_tracing): a subscriber that
    /// she sets in `new` takes the place of all this, and can call [`forward_event`](crate::forward_event). The last 16 events
    /// of a bee that dies are among her last words. Those of a bee's own worker bees come by her.
    pub fn forward_tracing(mut self, least: LevelFilter) -> Self {
        self.nursing.trace = Some(least);
        self
    }

    /// What Ctrl-C does while the hive lives. Default: [`OnInterrupt::Drain`], as in the pool.
    ///
    /// The first one interrupts the hive: tasks that bees have begun go on to their end, also those of their
    /// own bees. All others, and those that are delegated from then on, end as
    /// [`Cancelled`](crate::TaskResult::Cancelled) with a reason that begins with `interrupted: ` and says
    /// whether anything of it was done; no bee is started any more. The queen sees how her tasks end and
    /// returns, or hears of it by [`Hive::interrupted`]; then the run ends as ever. The second one, or one when
    /// no hive lives, ends the process at once, as if nothing had been changed, and its bees with it. A handler
    /// that the program has installed before is left alone and still called.
    ///
    /// Worker bees are in process groups of their own, so the terminal's Ctrl-C does not reach them. In a worker
    /// bee that has bees this option has no effect: it is for the queen to decide.
    pub fn on_interrupt(mut self, policy: OnInterrupt) -> Self {
        self.on_interrupt = policy;
        self
    }

    /// The hive and its queen apart.
    pub(super) fn without_queen(self) -> (BeehiveRun<W>, Q) {
        let Self {
            init,
            queen,
            max_concurrency,
            config,
            nursing,
            on_interrupt,
        } = self;
        let run = BeehiveRun {
            init,
            queen: WithoutQueen(()),
            max_concurrency,
            config,
            nursing,
            on_interrupt,
        };
        (run, queen)
    }

    /// Starts the hive: its driver, which brings up the bees.
    pub(super) fn start(self) -> Result<(Hive<W>, Driven), BeehiveError> {
        let init = encode(&self.init, MAX_RECORD_BYTES).map_err(BeehiveError::Init)?;
        let spec = spec::<W>(init.into(), self.max_concurrency, self.nursing)?;
        let commands = CommandQueue::new();
        let (config, taken, relay) = (self.config, commands.clone(), WorkerEvents::here());
        let driven = drive(self.on_interrupt, move |interrupts| {
            Driver::new(config, (spec, relay), taken, interrupts)
        });
        Ok((Hive::new(commands), driven.map_err(StartError::Thread)?))
    }
}

impl<W: WorkerBee> BeehiveRun<W> {
    /// Runs `task` to its end, and the hive to its own.
    ///
    /// Worker bees are gone when this ends, in whatever way: when the task has returned they finish what they
    /// have and die; when this future is dropped, or the task panics, they are killed.
    ///
    /// # Errors
    /// [`BeehiveError`]: the hive could not be started; the task was not called. What the task itself returns
    /// is the `Ok` value.
    pub async fn run<T, F>(self, task: T) -> Result<F::Output, BeehiveError>
    where
        T: FnOnce(Hive<W>) -> F,
        F: Future,
    {
        let (hive, driven) = self.start()?;
        let output = task(hive).await;
        driven.die().await;
        Ok(output)
    }
}

/// How the bees' processes are started.
fn spec<W: WorkerBee>(
    init: Bytes,
    max: Option<u32>,
    nursing: Nursing,
) -> Result<SpawnSpec, StartError> {
    let setup = move |worker: WorkerId| {
        let setup = BeeSetup {
            bee: name_of::<W>(),
            my_id: worker.0,
            init: init.clone(),
            max_concurrency: max,
        };
        let encoded = encode(&setup, usize::MAX);
        encoded
            .expect("strings, numbers and bytes always encode")
            .into()
    };
    let mut spec = SpawnSpec::new(WORKER_BEE, nursing.trace, setup)?;
    spec.command.stderr = nursing.stderr;
    spec.liveness = nursing.liveness;
    spec.init_deadline = nursing.init_deadline;
    Ok(spec)
}
