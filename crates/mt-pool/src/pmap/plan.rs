//! From a description to a run: all checks, then the threads.

use std::sync::Arc;

use bytes::Bytes;
use mt_ipc::{Program, QueueLimits, WorkerCommand};
use mt_proto::{InitCall, Limits, MAX_RECORD_BYTES, Setup, encode};
use tokio::sync::mpsc;

use super::{AsynPmap, options::PmapOptions, output::Pmap};
use crate::{
    StartError, Task, TaskStyle, Wire,
    dispatch::DispatchConfig,
    init,
    input::{Exchange, ExchangeLimits, FeederOptions, spawn_feeder},
    registry,
    stats::StatsCell,
    supervisor::{Plan, Recipe, spawn_supervisor},
};

/// The items a worker of a plain function is offered at first: one to run, one to go on with.
const SYNC_WINDOW: u32 = 2;
/// The fewest items that are the most a worker holds; with a smaller batch there is still this much
/// to share the cost of a system call.
const LEAST_CAP: usize = 1024;
/// The most pieces a worker holds.
const MAX_PIECES: u32 = 1024;

/// A call of an init task, encoded.
#[derive(Debug)]
pub(super) struct Init {
    task: Result<String, StartError>,
    input: Result<Bytes, String>,
}

impl Init {
    pub(super) fn of<I: Task>(input: &I::Input) -> Self {
        let input = encode(input, MAX_RECORD_BYTES).map(Bytes::from);
        Self {
            task: registry::sole_id_of::<I>(),
            input: input.map_err(|error| error.to_string()),
        }
    }
}

/// Checks and starts a run.
pub(super) fn start<T: Task>(run: AsynPmap<T>) -> Result<Pmap<T>, StartError> {
    let options = &run.options;
    options.check()?;
    let mut command = worker_command(&run.program)?;
    command.stderr = options.worker_stderr;
    let shared = run
        .shared
        .as_ref()
        .ok_or_else(|| missing("shared", "`#[shared]`"))?;
    let context = run
        .context
        .as_ref()
        .ok_or_else(|| missing("context", "`#[context]`"))?;
    let setup = Setup {
        task: registry::sole_id_of::<T>()?,
        init: run.init.map(init_call).transpose()?,
        shared: value("shared", shared)?,
        context: value("context", context)?,
        batch_size: narrow(options.batch_size),
        max_concurrency: narrow(options.max_concurrency),
        max_pieces: MAX_PIECES,
        max_result_bytes: narrow(options.max_result_bytes),
    };
    let recipe = Recipe {
        command,
        fingerprint: registry::fingerprint(),
        beat_interval: options.liveness.interval,
        setup,
        queue: QueueLimits {
            bulk_frames: MAX_PIECES as usize + 2,
            ..QueueLimits::default()
        },
        limits: Limits::default(),
    };
    let capacity = options.capacity();
    let exchange = Arc::new(Exchange::new(ExchangeLimits {
        capacity: capacity as u64,
        buffer_bytes: options.buffer_bytes,
    }));
    let stats = Arc::new(StatsCell::default());
    // Every delivery is at least one item, and no more items are outstanding than the capacity.
    let (output, outcomes) = mpsc::channel(capacity);
    let plan = Plan {
        dispatch: dispatch_config::<T>(options),
        liveness: options.liveness,
        recipe,
        on_interrupt: options.on_interrupt,
        observer: run.observer,
        exchange: Arc::clone(&exchange),
        stats: Arc::clone(&stats),
        output,
    };
    let feeder = FeederOptions {
        max_item_bytes: options.max_item_bytes,
    };
    let fail_fast = options.fail_fast;
    let supervision = spawn_supervisor(plan).map_err(StartError::Thread)?;
    let fed = spawn_feeder(run.source, Arc::clone(&exchange), feeder);
    let pmap = Pmap::new(outcomes, exchange, stats, supervision, fail_fast);
    // Dropping the run ends the supervisor.
    fed.map_err(StartError::Thread)?;
    Ok(pmap)
}

fn dispatch_config<T: Task>(options: &PmapOptions) -> DispatchConfig {
    let cap = narrow(options.batch_size.max(LEAST_CAP)).saturating_mul(8);
    let floor = match T::STYLE {
        TaskStyle::Sync => SYNC_WINDOW,
        // A third more than can run at once: what comes in quarters never leaves a place empty.
        TaskStyle::Async => narrow(options.max_concurrency.saturating_mul(4).div_ceil(3)),
    };
    let per_worker = options
        .pool_maxtasksperchild
        .map(|batches| (batches as u64).saturating_mul(options.batch_size as u64));
    DispatchConfig {
        processes: narrow(options.processes()),
        ordered: options.pool_ordered,
        window_floor: floor,
        window_cap: cap.max(floor),
        max_pieces: MAX_PIECES,
        items_per_worker: per_worker,
        crash_limit: options.crash_limit,
        restarts: options.restart_budget,
        exit_grace: options.exit_grace,
    }
}

fn worker_command(program: &Program) -> Result<WorkerCommand, StartError> {
    match program {
        Program::Own => init::own_command(),
        Program::File(_) => {
            let mut command = WorkerCommand::default();
            command.program = program.clone();
            Ok(command)
        }
    }
}

fn init_call(init: Init) -> Result<InitCall, StartError> {
    let unsent = |message| StartError::Value {
        option: "init",
        message,
    };
    Ok(InitCall {
        task: init.task?,
        input: init.input.map_err(unsent)?,
    })
}

fn value<V: Wire>(option: &'static str, value: &V) -> Result<Bytes, StartError> {
    encode(value, MAX_RECORD_BYTES)
        .map(Bytes::from)
        .map_err(|error| StartError::Value {
            option,
            message: error.to_string(),
        })
}

fn missing(option: &'static str, argument: &str) -> StartError {
    let problem = format!("was not given; the task has a {argument} argument that needs it");
    StartError::Option { option, problem }
}

/// Every option was checked to fit.
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
