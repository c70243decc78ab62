//! What holds for all calls of a pool.

use bytes::Bytes;
use mt_proto::{MAX_RECORD_BYTES, Setup, encode};

use crate::{
    StartError,
    dispatch::{AHEAD_OF_CALLS, DispatchConfig, MAX_PREPARED},
    executor::{CALLS, EXECUTOR, WITHDRAWN},
    input::PlaceLimits,
    limits::{MAX_ITEMS, MemoryLimits, Recycle, Retries, WorkerOptions, at_least_one, in_range},
    supervision::{IdleLimits, ReuseDemands, SpawnSpec},
};

/// The calls of `async fn`s that run at once in a worker.
const MAX_CONCURRENCY: u32 = 64;
/// The calls that a worker has unless they are known to be quick: one that waits in the queue can be given to whichever
/// worker is free first. Of quick ones it has at least two, and gives back what waits behind one that is not.
const FLOOR: u32 = 1;
/// The most calls that a worker has.
const CAP: u32 = 8 * 1024;
/// The most messages with calls that are on the way to a worker.
const MAX_PIECES: u32 = 1024;
/// The most bytes of inputs.
const MAX_BYTES: usize = isize::MAX as usize;
const _: () = assert!(2 * (CAP + MAX_CONCURRENCY) as usize <= WITHDRAWN);

#[derive(Debug, Clone)]
pub(crate) struct CallOptions {
    pub(crate) limits: PlaceLimits,
    pub(crate) crash_limit: u32,
    pub(crate) memory: MemoryLimits,
    pub(crate) recycle: Recycle,
    pub(crate) workers: WorkerOptions,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            limits: PlaceLimits {
                count: 64 * 1024,
                bytes: 64 << 20,
            },
            crash_limit: 3,
            memory: MemoryLimits::default(),
            recycle: Recycle::default(),
            workers: WorkerOptions::default(),
        }
    }
}

impl CallOptions {
    /// Checks every option against its range.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        in_range("calls", self.limits.count, MAX_ITEMS)?;
        in_range("call_bytes", self.limits.bytes, MAX_BYTES)?;
        at_least_one("crash_limit", u64::from(self.crash_limit))?;
        self.memory.check()?;
        self.recycle.check()?;
        self.workers.check()
    }

    pub(super) fn spawn_spec(&self, seed: u64) -> Result<SpawnSpec, StartError> {
        // guarded: a value of ours.
        let setup = encode(&setup(seed), usize::MAX);
        let setup = Bytes::from(setup.expect("names and numbers always encode"));
        let mut spec = self
            .workers
            .spec_of_items(EXECUTOR, move |_| setup.clone())?;
        spec.busy_by_processor = true;
        spec.reuse = ReuseDemands {
            init: None,
            items: self.recycle.items,
            age: self.recycle.age,
        };
        // A piece may come with a word on how long it may wait, with what it is of, and what is forgotten for that.
        spec.queue.bulk_frames = 4 * MAX_PIECES as usize + MAX_PREPARED + WITHDRAWN + 2;
        Ok(spec)
    }

    pub(super) fn dispatch_config(&self, workers: IdleLimits, seed: u64) -> DispatchConfig {
        let count = |workers| u32::try_from(workers).unwrap_or(u32::MAX);
        DispatchConfig {
            processes: count(workers.processes),
            takes_all: true,
            ahead: AHEAD_OF_CALLS,
            most_shared: MAX_CONCURRENCY,
            ordered: false,
            in_order: false,
            window_floor: FLOOR,
            window_cap: CAP,
            max_pieces: MAX_PIECES,
            crash_limit: self.crash_limit,
            restarts: self.workers.restart_budget,
            exit_grace: crate::limits::Deadlines::default().exit_grace,
            shared: true,
            min_processes: count(workers.keep),
            queue_deadline: None,
            hard_deadline: None,
            close_deadline: Some(crate::limits::Deadlines::default().exit_grace),
            memory: self.memory,
            retries: Retries::default(),
            buffer_bytes: usize::MAX,
            keep_items: false,
            recycle: Recycle {
                idle: Some(workers.idle),
                ..self.recycle
            },
            seed,
        }
    }
}

/// What the workers of a pool's calls are told at their setup.
fn setup(seed: u64) -> Setup {
    Setup {
        task: CALLS.to_owned(),
        init: None,
        exit: None,
        shared: Bytes::new(),
        context: Bytes::new(),
        batch_size: u32::MAX,
        max_concurrency: MAX_CONCURRENCY,
        max_pieces: MAX_PIECES,
        max_result_bytes: MAX_RECORD_BYTES as u32,
        queue_deadline: None,
        soft_deadline: None,
        context_deadline: None,
        seed,
        tell_contexts: false,
    }
}
