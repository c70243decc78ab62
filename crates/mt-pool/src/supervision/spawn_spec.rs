//! What the workers of one owner are started with, and what is demanded of them.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mt_ipc::{QueueLimits, WorkerCommand};
use mt_proto::{Assignment, Fingerprint, Limits, WorkerId};
use tracing::level_filters::LevelFilter;

use super::{liveness::LivenessPolicy, worker_event::trace_level};
use crate::{StartError, init, registry};

/// What the workers of one owner are started with, and what is demanded of them. The fields may be changed before
/// the first worker is started.
#[non_exhaustive]
pub struct SpawnSpec {
    /// How their processes are started. Default: this program again.
    pub command: WorkerCommand,
    /// The build they have to be. Default: this program's.
    pub fingerprint: Fingerprint,
    /// How often they beat, and when they count as frozen, stopped or blocked.
    pub liveness: LivenessPolicy,
    /// Whether a worker that beats, gets no further and uses the processor counts as busy: so it is with plain
    /// functions. Default: no.
    pub busy_by_processor: bool,
    /// How long setting up may take, counted from the assignment. Default 60 s.
    pub init_deadline: Duration,
    /// How long a worker that is asked to end has before it is killed. Default 50 ms.
    pub kill_grace: Duration,
    /// The frames that may wait for a worker.
    pub queue: QueueLimits,
    /// The longest frames that are taken from a worker.
    pub limits: Limits,
    /// What a worker is to be, encoded.
    pub(super) assignment: Box<dyn Fn(WorkerId) -> Bytes + Send + Sync>,
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
        command: WorkerCommand,
        role: &'static str,
        trace: Option<LevelFilter>,
        body: impl Fn(WorkerId) -> Bytes + Send + Sync + 'static,
    ) -> Self {
        let trace = trace_level(trace);
        let assignment = move |worker| {
            let role = role.to_owned();
            let body = body(worker);
            Assignment { role, trace, body }.into_body()
        };
        Self {
            command,
            fingerprint: registry::fingerprint(),
            liveness: LivenessPolicy::default(),
            busy_by_processor: false,
            init_deadline: Duration::from_secs(60),
            kill_grace: Duration::from_millis(50),
            queue: QueueLimits::default(),
            limits: Limits::default(),
            assignment: Box::new(assignment),
        }
    }
}

impl fmt::Debug for SpawnSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnSpec")
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}
