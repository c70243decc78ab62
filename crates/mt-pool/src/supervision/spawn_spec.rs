//! What the workers of one owner are started with, and what is demanded of them.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mt_ipc::{QueueLimits, SpawnError, SpawnRequest, Surroundings, WorkerCommand};
use mt_proto::{Assignment, Attachments, Fingerprint, Frame, Limits, WorkerId};
use tracing::level_filters::LevelFilter;

use super::{
    liveness::LivenessPolicy,
    process_record::ReuseDemands,
    slots::{SlotNumber, SlotVariables},
    worker_event::trace_level,
};
use crate::{StartError, init, registry};

/// How long a new process may take to say hello, if nothing else is said: longer than a file system that hangs for a
/// while, and short enough for somebody to wait who has forgotten `init()`.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a process may take to end that says it does, if nothing else is said: to drop what it has, on a machine that
/// is overloaded.
const EXIT_GRACE: Duration = Duration::from_secs(5);

/// What the workers of one owner are started with, and what is demanded of them. The fields may be changed before
/// the first worker is started.
#[non_exhaustive]
pub struct SpawnSpec {
    /// How their processes are started; each has its slot set when it is. Default: this program again, in the folder and with the environment of this
    /// process at the time that this value is made. For its `stack_bytes` see
    /// [`WorkerOptions::stack_bytes`](crate::limits::WorkerOptions::stack_bytes).
    pub command: WorkerCommand,
    /// The build they have to be. Default: this program's.
    pub fingerprint: Fingerprint,
    /// How often they beat, and when they count as frozen, stopped or blocked.
    pub liveness: LivenessPolicy,
    /// Whether a worker that beats, gets no further and uses the processor counts as busy: so it is with plain
    /// functions. Default: no.
    pub busy_by_processor: bool,
    /// How long a new process may take to say hello: to be loaded, to run what its program does before `init()`, and to
    /// connect. Default 30 s.
    pub start_limit: Duration,
    /// How long setting up may take, counted from the assignment. Default 60 s.
    pub init_deadline: Duration,
    /// How long the process of a worker may live on that has said that it goes, or that it could not be set up: what it
    /// holds is dropped, and what it has registered for its exit runs. It is then killed, as
    /// [`Lingered`](super::DeathCause::Lingered). Default 5 s.
    pub exit_grace: Duration,
    /// How long a worker that is asked to end has before it is killed. Default 50 ms.
    pub kill_grace: Duration,
    /// The frames that may wait for a worker.
    pub queue: QueueLimits,
    /// The longest frames that are taken from a worker.
    pub limits: Limits,
    /// What crosses beside the body of every worker's assignment. Default: nothing.
    pub attachments: Attachments,
    /// The environment variables that depend on a worker's slot.
    pub(crate) slot_variables: SlotVariables,
    /// What a process must not have been through to be used again.
    pub(crate) reuse: ReuseDemands,
    /// What a worker is to be.
    pub(super) assignment: Box<dyn Fn(WorkerId) -> Frame + Send + Sync>,
}

impl SpawnSpec {
    /// Workers of the role `role`, each of which is told `body`, once encoded, for its id. `tracing` events that
    /// are at least as important as `trace` come back; `None` stands for what this process's subscriber enables.
    ///
    /// # Errors
    /// [`StartError::NotInitialised`], [`StartError::InWorker`]: workers would not know that they are.
    pub fn new(
        role: &'static str,
        trace: Option<LevelFilter>,
        body: impl Fn(WorkerId) -> Bytes + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        Ok(Self::started_by(init::own_command()?, role, trace, body))
    }

    /// The same with processes of another program, or with other arguments.
    pub fn started_by(
        mut command: WorkerCommand,
        role: &'static str,
        trace: Option<LevelFilter>,
        body: impl Fn(WorkerId) -> Bytes + Send + Sync + 'static,
    ) -> Self {
        command.surroundings.get_or_insert_with(Surroundings::here);
        command.stack_bytes = default_stack_bytes() as u64;
        let trace = trace_level(trace);
        let assignment = move |worker| {
            let role = role.to_owned();
            let body = body(worker);
            let attachments = Attachments::NONE;
            Assignment {
                role,
                trace,
                body,
                attachments,
            }
            .into_frame()
        };
        Self {
            command,
            fingerprint: registry::fingerprint(),
            liveness: LivenessPolicy::default(),
            busy_by_processor: false,
            start_limit: START_LIMIT,
            init_deadline: Duration::from_secs(60),
            exit_grace: EXIT_GRACE,
            kill_grace: Duration::from_millis(50),
            queue: QueueLimits::default(),
            limits: Limits::default(),
            attachments: Attachments::NONE,
            slot_variables: SlotVariables::default(),
            reuse: ReuseDemands::default(),
            assignment: Box::new(assignment),
        }
    }

    /// Whether a program is put before the worker's.
    pub(super) fn is_wrapped(&self) -> bool {
        !self.command.wrapper.is_empty()
    }

    /// How the worker in this slot is started. Calls functions of the user's, so no lock is to be held meanwhile.
    pub(super) fn command_in(&self, slot: u32) -> Result<WorkerCommand, SpawnError> {
        self.slot_variables.command_in(slot, &self.command)
    }

    /// Asks for the worker in this slot.
    pub(super) fn request(&self, slot: &SlotNumber) -> SpawnRequest {
        match self.command_in(slot.get()) {
            Ok(command) => mt_ipc::request(command),
            Err(error) => SpawnRequest::failed(error),
        }
    }
}

/// The least stack of user code, unless somebody says otherwise: what a main thread usually has.
const USUAL_STACK_BYTES: u64 = 8 << 20;
/// More than this is no size of a stack but the lack of a limit.
const LONGEST_STACK_BYTES: u64 = 1 << 30;

/// As much as a main thread here has, so that what works in `main` works in every thread that runs user code.
pub(crate) fn default_stack_bytes() -> usize {
    let main = Some(mt_ipc::main_stack_bytes()).filter(|bytes| *bytes <= LONGEST_STACK_BYTES);
    let bytes = main.unwrap_or(USUAL_STACK_BYTES).max(USUAL_STACK_BYTES);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

impl fmt::Debug for SpawnSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnSpec")
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}
