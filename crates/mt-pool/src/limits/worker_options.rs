//! How worker processes are started, watched and heard, whatever they work on.

use std::{
    ffi::OsString,
    iter,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use mt_ipc::{Program, Resource, ResourceLimits, WorkerCommand, WorkerStderr, WorkerStdout};
use mt_proto::WorkerId;
use tracing::level_filters::LevelFilter;

use super::{
    check::{at_least_one, is_time, reckonable},
    worker_place::{Variable, WorkerPlace},
};
use crate::{
    error::StartError,
    init,
    setters::setters,
    supervision::{LivenessPolicy, OnSignal, OnSignals, RestartBudget, START_LIMIT, SpawnSpec},
};

/// The range of [`WorkerOptions::stack_bytes`].
const MIN_STACK_BYTES: u64 = 64 << 10;
const MAX_STACK_BYTES: u64 = 64 << 30;
/// The most of [`WorkerOptions::niceness`].
const MAX_NICENESS: u8 = 19;

/// How worker processes are started, watched and heard: those of a run, of a hive of `mt_beehive`, or of whoever
/// [supervises](crate::supervision) workers of another kind.
///
/// All workers of a run, or of a hive, start in the folder and with the environment variables that this process has when
/// the run is *started* (`start`, or what starts it), as far as [`cwd`](Self::cwd), [`env`](Self::env),
/// [`env_remove`](Self::env_remove) and [`env_by_slot`](Self::env_by_slot) do not say otherwise; also those that replace others later. What is said of a process itself, by [`niceness`](Self::niceness), [`limit`](Self::limit), [`stdout`](Self::stdout) and
/// [`wrapper`](Self::wrapper), holds for all of
/// them alike; where nothing is said, a worker has what this process has when the worker is started. A worker that waits in a
/// [`Pool`](crate::Pool) is used again only by runs with the same options. What a task changes of its own process (`chdir`) stays,
/// like all it leaves there, as long as that process lives.
#[derive(Debug, Clone)]
#[must_use = "it is given to a run by `workers`"]
#[non_exhaustive]
pub struct WorkerOptions {
    program: Program,
    start_limit: Duration,
    /// What [`restart_budget`](Self::restart_budget) sets.
    pub restart_budget: RestartBudget,
    pub(crate) liveness: LivenessPolicy,
    /// What [`on_interrupt`](Self::on_interrupt) and [`on_terminate`](Self::on_terminate) set.
    pub on_signals: OnSignals,
    ignore_terminate: Option<bool>,
    stdout: Option<WorkerStdout>,
    stderr: WorkerStderr,
    inherit_descriptors: bool,
    forward_tracing: Option<LevelFilter>,
    stack_bytes: Option<u64>,
    niceness: Option<u8>,
    limits: ResourceLimits,
    wrapper: Vec<OsString>,
    place: WorkerPlace,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            program: Program::default(),
            start_limit: START_LIMIT,
            restart_budget: RestartBudget::default(),
            liveness: LivenessPolicy::default(),
            on_signals: OnSignals::default(),
            ignore_terminate: None,
            stdout: None,
            stderr: WorkerStderr::default(),
            forward_tracing: None,
            inherit_descriptors: false,
            stack_bytes: None,
            niceness: None,
            limits: ResourceLimits::default(),
            wrapper: Vec::new(),
            place: WorkerPlace::default(),
        }
    }
}

impl WorkerOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Starts workers from another program file than this process's: one of the same build whose
        /// `main` calls [`init`](crate::init()) first. This process then needs no `init` itself. A program
        /// without this library that sleeps instead of saying hello is known after 0.8 s (on Linux) and ends the run with
        /// [`WorkerFailure::Foreign`](crate::supervision::WorkerFailure::Foreign); one that has it, and does not call
        /// `init`, after the [`start_limit`](Self::start_limit). Default: this process's.
        pub fn program(self, path: impl Into<PathBuf>) => self.program = Program::File(path.into());

        /// Sets an environment variable of workers, whatever this process has under that name. The last word on a name
        /// counts. The name is not empty and has no `=`, and neither has a zero byte. Default: those of this process at
        /// the start of the run.
        pub fn env(self, name: impl Into<OsString>, value: impl Into<OsString>) =>
            self.place.set(name.into(), Variable::Set(value.into()));

        /// Takes an environment variable away from workers that this process may have.
        pub fn env_remove(self, name: impl Into<OsString>) => self.place.set(name.into(), Variable::Removed);

        /// The folder that workers start in, which has to be there at the start of the run. A relative path counts from
        /// the folder that this process is in then, and so does that of a [`program`](Self::program). When the folder is gone later,
        /// workers that are to start then fail with `SpawnError::Folder` in
        /// [`WorkerFailure::Spawn`](crate::supervision::WorkerFailure::Spawn). Default: that of this process at the start
        /// of the run.
        pub fn cwd(self, folder: impl Into<PathBuf>) => self.place.set_folder(folder.into());

        /// How long a new worker process may take to say hello: to be loaded, to run its program's constructors, and
        /// what `main` does before [`init`](crate::init()). At least 1 ms, counted in looks every 200 ms, so that time in
        /// which this process or the worker was stopped does not count. Default 30 s: longer than a file system that
        /// hangs for a while. A worker that is slow is told of after 2 s, 4 s, 8 s … by
        /// [`WorkerSlow`](crate::events::PoolEvent::WorkerSlow) and a `tracing` warning; after the limit it is killed,
        /// and the run ends with [`WorkerFailure::Silent`](crate::supervision::WorkerFailure::Silent) when no other
        /// worker is left.
        pub fn start_limit(self, limit: Duration) => self.start_limit = limit;

        /// How many workers in a row may die for nothing before the run gives up.
        pub fn restart_budget(self, budget: RestartBudget) =>
            self.restart_budget = RestartBudget { period: reckonable(budget.period), ..budget };

        /// When a silent worker counts as frozen. The interval is at least 1 ms, the counts are at least 1.
        pub fn liveness(self, policy: LivenessPolicy) =>
            self.liveness = LivenessPolicy { interval: reckonable(policy.interval), ..policy };

        /// What Ctrl-C does meanwhile. Default: [`OnSignal::Drain`].
        pub fn on_interrupt(self, policy: OnSignal) => self.on_signals.interrupt = policy;

        /// What `SIGTERM` does meanwhile: how a service manager, `docker stop`, `timeout` or `kill` ask this process to
        /// end. Default: [`OnSignal::Ignore`], so it does what it does without this library: it ends the process at once,
        /// and its workers with it, or is the program's to handle. A library that took it away would keep programs from
        /// ending that have no answer to an interrupted run. With another policy workers [ignore](Self::ignore_terminate)
        /// it.
        pub fn on_terminate(self, policy: OnSignal) => self.on_signals.terminate = policy;

        /// Whether workers live on when somebody other than this process sends them `SIGTERM`: a service manager
        /// mostly sends it to all processes of a service at once, and workers would be gone before what they have is
        /// finished. They still end with this process, and with a `SIGKILL`. Default: yes with an
        /// [`on_terminate`](Self::on_terminate) other than `Ignore`, and in a worker that does itself; otherwise no. Say `true` where the program
        /// handles the signal itself and then calls [`drain`](crate::RunHandle::drain) or
        /// [`Pool::shutdown`](crate::Pool::shutdown).
        ///
        /// Programs that tasks start do not ignore it. A handler that a task installs takes the place of this. A worker
        /// that ends by such a signal all the same is told apart from a crash:
        /// [`DeathCause::Terminated`](crate::supervision::DeathCause::Terminated).
        pub fn ignore_terminate(self, ignore: bool) => self.ignore_terminate = Some(ignore);

        /// Where the workers' standard output goes. Default: [`WorkerStdout::Inherit`], straight where this process's goes;
        /// workers of tests ([`test_worker!`](crate::test_worker)) have none, because the test harness they are started by writes
        /// lines of its own to it.
        ///
        /// What is forwarded comes by a way of its own: an outcome may be there before the lines that were printed for it, but a
        /// worker's last lines are written before its end is told, unless nobody takes them for a tenth of a second. A worker sees a pipe where it might
        /// have seen a terminal, and C code keeps what it prints to pipes until there are some KiB or the process exits.
        ///
        /// With [`WorkerStdout::Capture`] what an item prints comes with its outcome:
        /// [`Pmap::with_stdout`](crate::Pmap::with_stdout), [`Call::with_stdout`](crate::Call::with_stdout), and in every
        /// error [`TaskError::stdout`](crate::TaskError::stdout). Whatever can't tell items apart is refused with it: a run of an
        /// `async fn` with another [`max_concurrency`](crate::AsynPmap::max_concurrency) than 1, and a hive. Works tell it in
        /// errors alone.
        pub fn stdout(self, mode: WorkerStdout) => self.stdout = Some(mode);

        /// Where the workers' standard error goes. Default: [`WorkerStderr::Forward`], through this
        /// process, unchanged, to its own standard error; its end is kept, and is part of
        /// [`Death`](crate::supervision::Death) as [`LastWords`](crate::supervision::LastWords).
        pub fn stderr(self, mode: WorkerStderr) => self.stderr = mode;

        /// Whether workers keep those descriptors of this process above 2 that are not marked close-on-exec: a
        /// jobserver's pipe for the programs that tasks start, say. What Rust's standard library opens is marked,
        /// and is never inherited. Default: no. Workers have 0 to 2 and their own connection, and close all else
        /// before they work; a listener of this process that they kept would stay bound as long as they live.
        pub fn inherit_descriptors(self, keep: bool) => self.inherit_descriptors = keep;

        /// The stack of the thread that runs tasks, contexts, hooks and bees, in bytes; 64 KiB to 64 GiB. Memory is taken
        /// only as far as it is used. Default: what a main thread here has (`ulimit -s`), and at least 8 MiB, whether
        /// `main` calls [`init`](crate::init()) before there is a runtime or inside one: what has room in `main` has
        /// room in a task. It is a thread of its own, named `mt-main`.
        ///
        /// Tasks that a task spawns run on the same thread; `spawn_blocking` and threads of its own have the sizes
        /// that tokio and the standard library give them (2 MiB, or `RUST_MIN_STACK`). Works in
        /// [serial mode](crate::works::WorkIteratorBuilder::serial_mode) and a queen's tasks run on the caller's thread,
        /// with the caller's stack.
        pub fn stack_bytes(self, bytes: u64) => self.stack_bytes = Some(bytes);

        /// How much workers give way to other processes where processors are scarce: the nice value, 0 to 19, not
        /// counted from this process's. It is not below this process's own, because getting back what was given away
        /// takes rights; such a start is refused. Default: this process's own.
        ///
        /// A worker sets it in its first steps, for all of its threads and for the programs that its tasks start; what its
        /// program does before [`init`](crate::init()) has that of this process. A worker beats more rarely where others leave it no processor, which
        /// [liveness](Self::liveness) tells apart from being frozen. Where sessions are scheduled as groups (Linux, autogroup), it
        /// counts among the processes of this session.
        #[doc(alias = "nice")]
        pub fn niceness(self, niceness: u8) => self.niceness = Some(niceness);

        /// Limits what a worker may take of a resource of the system: [`Resource`] says which there are, in what they are
        /// counted, what happens at the limit, and what is not sensible. [`u64::MAX`] for no limit. The last word on a
        /// resource counts. Not above the hard limit of this process (`ulimit -H`): such a start is refused. Default: what this process has.
        ///
        /// A worker sets it in its first steps, as its soft limit, before its tasks run and not yet for what its program
        /// does before [`init`](crate::init()); programs that tasks start have it as well. It guards against mistakes and not
        /// against malice: code may raise it again, up to the hard limit. A worker that can't work within it fails to
        /// start, with the reason in its last words. One that ends by a limit is told by its
        /// [`Death`](crate::supervision::Death), with the signal, and its items are treated as after any death. The stack
        /// of tasks is [`stack_bytes`](Self::stack_bytes).
        #[doc(alias = "rlimit")]
        #[doc(alias = "ulimit")]
        pub fn limit(self, resource: Resource, value: u64) => self.limits.set(resource, value);

        /// The `tracing` events of workers that are emitted again in this process. Default: those that this
        /// process's subscribers enable at the start, as far as they say it by a level; without a subscriber none,
        /// and then they cost nothing.
        ///
        /// Events go to the subscriber and under the span that are current at the start, with their own
        /// level, target, place and fields (as text), and the fields `worker`, `pid`, and `item`, the index of
        /// the item in whose call they were emitted. A worker keeps 512 events or 63 KiB at most and sends them
        /// at most every 10 ms, warnings and errors at once; how many had no room is emitted as a warning and
        /// counted in [`events_dropped`](crate::stats::Stats::events_dropped). Spans of workers are not forwarded.
        ///
        /// The last 16 events of a worker that dies are in its
        /// [`LastWords`](crate::supervision::LastWords), sent or not.
        ///
        /// In a worker, a subscriber that its program sets before [`init`](crate::init()) or in its
        /// [init task](crate::AsynPmap::init) takes the place of all this; it can call
        /// [`forward_event`](crate::worker::forward_event). Later it can't set one: the pool's is set by then, in a
        /// [shared](crate::AsynPmap::pool) worker from its first run on.
        pub fn forward_tracing(self, least: LevelFilter) => self.forward_tracing = Some(least);
    }

    /// Sets an environment variable of workers to what a function says of a worker's [slot](crate::worker_slot): a
    /// device, a port, a processor. The function is called in this process, once for each slot before its first
    /// worker is started, in the thread that attends to the workers: it has to be quick, and should say the same
    /// whenever it is asked. When it panics, the worker can't be started (`SpawnError::Variable` in
    /// [`WorkerFailure::Spawn`](crate::supervision::WorkerFailure::Spawn)). In a [`Pool`](crate::Pool) a run uses a
    /// worker again for whose slot the function says what that worker was started with.
    ///
    /// ```
    /// use mt_pool::{asyn_pmap, limits::WorkerOptions};
    ///
    /// #[mt_pool::task]
    /// fn device(_: u32) -> String {
    ///     std::env::var("CUDA_VISIBLE_DEVICES").unwrap_or_default()
    /// }
    ///
    /// #[mt_pool::main]
    /// fn main() -> anyhow::Result<()> {
    ///     let devices = 2;
    ///     let by_slot = move |slot: u32| (slot % devices).to_string();
    ///     let workers = WorkerOptions::new().env_by_slot("CUDA_VISIBLE_DEVICES", by_slot);
    ///     let run = asyn_pmap::<device>(0..10).processes(2).workers(workers).start()?;
    ///     for device in run {
    ///         assert!(["0", "1"].contains(&device?.as_str()));
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[doc(alias = "CUDA_VISIBLE_DEVICES")]
    pub fn env_by_slot<V: Into<OsString>>(
        mut self,
        name: impl Into<OsString>,
        value: impl Fn(u32) -> V + Send + Sync + 'static,
    ) -> Self {
        self.place.set_by_slot(name.into(), value);
        self
    }

    /// Puts a program before the workers' own, which gets that and its arguments behind its own `args` and starts it:
    /// `valgrind`, `numactl`, `bwrap`, `nice`, `strace -f`, a script that ends with `exec "$@"`. A path with a folder counts from the folder that this
    /// process is in; otherwise it is looked for in `PATH`. The last one counts. Default: none.
    ///
    /// A wrapper may become the worker (`exec`), or start it as a child, wait for it, and end with it. It must leave standard
    /// input to the worker, because that is the connection to this process. The whole tree is killed with the worker, or with this process,
    /// and [liveness](Self::liveness) watches the worker. But of a wrapper that stays
    /// - the process id of events is the wrapper's, and so are the memory that is measured and limited, and how the process
    ///   [ended](crate::supervision::Death): a shell exits with 128 and the signal's number where the worker was killed by one;
    /// - a `SIGTERM` of others ends it, whatever [`ignore_terminate`](Self::ignore_terminate) says, unless it ignores that itself;
    /// - one that lives on without its worker is killed as frozen.
    ///
    /// The time that the wrapper takes until there is a worker counts into the [`start_limit`](Self::start_limit). Niceness
    /// and limits of resources are the worker's, and not the wrapper's.
    #[doc(alias = "valgrind")]
    #[doc(alias = "numactl")]
    pub fn wrapper<A: Into<OsString>>(
        mut self,
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let program = iter::once(program.into().into_os_string());
        self.wrapper = program.chain(args.into_iter().map(Into::into)).collect();
        self
    }

    /// Workers of the role `role`, as [`SpawnSpec::new`] has it, started, watched and heard like this. The budget and
    /// Ctrl-C are for whoever starts them.
    ///
    /// # Errors
    /// The errors of [`SpawnSpec::new`], unless there is another [`program`](Self::program). [`StartError::Option`] with
    /// [`WorkerStdout::Capture`]: what an item is, only runs and calls know.
    pub fn spawn_spec(
        &self,
        role: &'static str,
        body: impl Fn(WorkerId) -> Bytes + Send + Sync + 'static,
    ) -> Result<SpawnSpec, StartError> {
        if self.captures_stdout() {
            let problem = "is captured by item, which only workers of runs and of calls can do";
            let (option, problem) = ("workers.stdout", problem.to_owned());
            return Err(StartError::Option { option, problem });
        }
        self.spec_of_items(role, body)
    }

    /// Whether what items print is captured.
    pub(crate) fn captures_stdout(&self) -> bool {
        self.stdout == Some(WorkerStdout::Capture)
    }

    /// The same of a role that knows what an item is.
    pub(crate) fn spec_of_items(
        &self,
        role: &'static str,
        body: impl Fn(WorkerId) -> Bytes + Send + Sync + 'static,
    ) -> Result<SpawnSpec, StartError> {
        let mut command = match &self.program {
            Program::Own => init::own_command()?,
            Program::File(_) => WorkerCommand::default(),
        };
        command.program.clone_from(&self.program);
        if let Program::File(path) = &mut command.program {
            *path = from_here(path);
        }
        command.wrapper.clone_from(&self.wrapper);
        if let Some(wrapper) = command.wrapper.first_mut() {
            *wrapper = from_here(wrapper.as_ref()).into_os_string();
        }
        command.surroundings = Some(self.place.surroundings());
        command.stderr = self.stderr;
        if let Some(mode) = self.stdout {
            command.stdout = mode;
        }
        command.inherit_descriptors = self.inherit_descriptors;
        command.niceness = self.niceness;
        command.limits = self.limits;
        let ignores = || {
            let is_handled = self.on_signals.terminate != OnSignal::Ignore;
            is_handled || mt_ipc::ignores_terminate_of_others()
        };
        command.ignores_terminate = self.ignore_terminate.unwrap_or_else(ignores);
        let mut spec = SpawnSpec::started_by(command, role, self.forward_tracing, body);
        spec.liveness = self.liveness;
        spec.slot_variables = self.place.slot_variables();
        spec.start_limit = self.start_limit;
        if let Some(bytes) = self.stack_bytes {
            spec.command.stack_bytes = bytes;
        }
        Ok(spec)
    }

    /// Checks every option against its range.
    ///
    /// # Errors
    /// [`StartError::Option`] for the first that is outside.
    pub fn check(&self) -> Result<(), StartError> {
        let option = "workers.liveness";
        at_least_one(option, u64::from(self.liveness.missed_beats))?;
        at_least_one(option, u64::from(self.liveness.blocked_checks))?;
        is_time(option, self.liveness.interval)?;
        is_time("workers.start_limit", self.start_limit)?;
        let stack = self.stack_bytes.unwrap_or(MIN_STACK_BYTES);
        if !(MIN_STACK_BYTES..=MAX_STACK_BYTES).contains(&stack) {
            let problem = format!("is {stack}, not {MIN_STACK_BYTES} to {MAX_STACK_BYTES}");
            let option = "workers.stack_bytes";
            return Err(StartError::Option { option, problem });
        }
        self.check_niceness()?;
        let has_zero = |text: &OsString| text.as_encoded_bytes().contains(&0);
        if self
            .wrapper
            .first()
            .is_some_and(|program| program.is_empty())
            || self.wrapper.iter().any(has_zero)
        {
            let problem = "has no program, or a zero byte".to_owned();
            let option = "workers.wrapper";
            return Err(StartError::Option { option, problem });
        }
        if let Some((resource, most)) = self.limits.beyond_reach() {
            let problem =
                format!("of {resource:?} is more than this process may give, which is {most}");
            let option = "workers.limit";
            return Err(StartError::Option { option, problem });
        }
        self.place.check()
    }

    fn check_niceness(&self) -> Result<(), StartError> {
        let Some(niceness) = self.niceness else {
            return Ok(());
        };
        let own = mt_ipc::own_niceness();
        let problem = if niceness > MAX_NICENESS {
            format!("is {niceness}, not 0 to {MAX_NICENESS}")
        } else if i32::from(niceness) < own {
            format!("is {niceness}, and that of this process is {own}, which is the least")
        } else {
            return Ok(());
        };
        let option = "workers.niceness";
        Err(StartError::Option { option, problem })
    }
}

/// A program whose path is a relative one is found from where this process is, and not from where workers start. One
/// without any folder is looked for in `PATH`.
fn from_here(path: &Path) -> PathBuf {
    if path.components().nth(1).is_some() {
        return std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    }
    path.to_owned()
}
