//! From a description to a run: all checks, then the supervisor.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    thread,
};

use bytes::Bytes;
use mt_proto::{
    Attachments, InitCall, Kept, MAX_RECORD_BYTES, Setup, encode, encode_attaching_guarded,
    encode_guarded, guarded,
};
use tokio::runtime::Builder;

use super::{AsynPmap, RunHandle, live_run::LiveRun, options::PmapOptions};
use crate::{
    Pool, StartError, Task, Wire,
    current::random_seed,
    dispatch::{AHEAD, DispatchConfig},
    driver::{Collected, DeliveryReceiver, Plan, deliveries, spawn_supervisor},
    events::{Audience, EventLog},
    executor::EXECUTOR,
    input::{ExchangeLimits, FeedEnd, RunInput, exchange},
    limits::Recycle,
    lock::lock,
    registry,
    stats::StatsCell,
    supervision::{ReuseDemands, SpawnSpec, WorkerEvents, default_stack_bytes},
    task::TaskStyle,
};

/// The items a worker of a plain function is offered at first: one to run, one to go on with.
const SYNC_WINDOW: u32 = 2;
/// The fewest items that are the most a worker holds; with a smaller batch there is still this much
/// to share the cost of a system call.
const LEAST_CAP: usize = 1024;
const MAX_PIECES: u32 = 1024;
/// The inits of serial modes that are known to have run in this process; the oldest is forgotten first.
const MAX_INITS_HERE: usize = 64;

static INITS_HERE: Mutex<VecDeque<InitCall>> = Mutex::new(VecDeque::new());

/// A call of an init or exit task, encoded.
pub(super) fn hook_call<I: Task>(
    option: &'static str,
    input: I::Input,
) -> Result<InitCall, StartError> {
    let input = Kept::new(input);
    Ok(InitCall {
        task: registry::sole_id_of::<I>()?,
        input: value(option, Some(&*input), None)?,
    })
}

/// Makes the call of an init task in this process, on a thread of its own: it may be an `async fn`, and the calling
/// thread part of a runtime. Once in the life of this process, as in a worker.
pub(crate) fn init_here(init: &InitCall) -> Result<(), StartError> {
    if lock(&INITS_HERE).contains(init) {
        return Ok(());
    }
    let task = registry::find(&init.task).expect("its name was looked up when it was given");
    let call = || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        // guarded: where the thread is started.
        (task.call_once)(&runtime, &init.input).map(drop)
    };
    let called = thread::scope(|scope| {
        let thread = thread::Builder::new().name("mt-init".into());
        let thread = thread.stack_size(default_stack_bytes());
        let thread = thread.spawn_scoped(scope, || guarded(call))?;
        Ok(thread.join().expect("a guarded call does not panic"))
    });
    let called = called.map_err(StartError::Thread)?;
    let called = called.unwrap_or_else(|panic| Err(format!("panicked: {panic}")));
    called.map_err(|message| StartError::Option {
        option: "init",
        problem: format!("failed: {message}"),
    })?;
    let mut done = lock(&INITS_HERE);
    done.push_back(init.clone());
    if done.len() > MAX_INITS_HERE {
        done.pop_front();
    }
    Ok(())
}

/// A run whose supervisor works and whose input is still to be fed.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) run: LiveRun,
    pub(crate) outcomes: DeliveryReceiver,
    pub(crate) feed: FeedEnd,
}

/// Checks a run and starts all of it but the feeder of its input, which is given back.
pub(crate) fn launch<'a, T: Task>(
    mut run: AsynPmap<T, RunInput<'a>>,
) -> Result<(Launched, RunInput<'a>), StartError> {
    run.options.check()?;
    check_captured::<T>(&run.options)?;
    mt_ipc::has_room().map_err(StartError::Thread)?;
    let seed = run.options.seed.unwrap_or_else(random_seed);
    let spec = spawn_spec(&mut run, seed)?;
    let options = &run.options;
    let capacity = options.capacity();
    let ends = exchange(ExchangeLimits {
        capacity: capacity as u64,
        buffer_bytes: options.byte_limits.buffer,
    });
    let pool = run.pool.as_ref();
    let entered = pool.map(|pool| pool.enter(&ends.control)).transpose()?;
    let stats = Arc::new(StatsCell::new(options.total.or_else(|| run.input.len())));
    let events = Arc::new(EventLog::default());
    // Every delivery is at least one item, and no more items are outstanding than the capacity.
    let (output, outcomes) = deliveries(capacity);
    let collected = Arc::new(Collected::default());
    let plan = Plan {
        idle: run.pool.as_ref().map(Pool::shared_workers),
        dispatch: dispatch_config::<T>(options, seed, run.pool.is_some()),
        collected: Arc::clone(&collected),
        spec,
        on_signals: options.workers.on_signals,
        audience: Audience::new(run.observer, Arc::clone(&events)),
        relay: WorkerEvents::here(),
        exchange: ends.driver,
        stats: Arc::clone(&stats),
        calls: None,
        output,
    };
    let fail_fast = options.fail_fast;
    let end = match pool.zip(entered) {
        Some((pool, entered)) => pool.supervise(plan, entered),
        None => spawn_supervisor(plan).map_err(StartError::Thread)?,
    };
    let handle = RunHandle {
        control: ends.control,
        end,
        stats,
        events,
    };
    let launched = Launched {
        run: LiveRun {
            handle,
            consumer: ends.consumer,
            fail_fast,
            seed,
            collected,
            pool: run.pool,
        },
        outcomes,
        feed: ends.feed,
    };
    Ok((launched, run.input))
}

/// What items print that run side by side in a process can't be told apart.
fn check_captured<T: Task>(options: &PmapOptions) -> Result<(), StartError> {
    let at_once = options.max_concurrency;
    if T::STYLE == TaskStyle::Sync || at_once == 1 || !options.workers.captures_stdout() {
        return Ok(());
    }
    Err(StartError::Option {
        option: "max_concurrency",
        problem: format!(
            "is {at_once}, and has to be 1 for an `async fn` whose standard output is captured by item"
        ),
    })
}

fn spawn_spec<T: Task, I>(run: &mut AsynPmap<T, I>, seed: u64) -> Result<SpawnSpec, StartError> {
    let mut attachments = Attachments::NONE;
    let setup = setup(run, seed, &mut attachments)?;
    let init = setup.init.clone();
    // guarded: a value of ours.
    let setup = encode(&setup, usize::MAX);
    let setup = Bytes::from(setup.expect("names, numbers and bytes always encode"));
    let options = &run.options;
    let mut spec = options
        .workers
        .spec_of_items(EXECUTOR, move |_| setup.clone())?;
    spec.attachments = attachments;
    spec.busy_by_processor = T::STYLE == TaskStyle::Sync;
    spec.init_deadline = options.deadlines.init;
    spec.exit_grace = options.deadlines.exit_grace;
    spec.kill_grace = options.deadlines.kill_grace;
    spec.reuse = ReuseDemands {
        init: init.map(|init| {
            encode_guarded(&init, usize::MAX)
                .expect("a name and bytes")
                .into()
        }),
        items: quota(options),
        age: options.recycle.age,
    };
    // A piece may come with a word on how long it may wait.
    spec.queue.bulk_frames = 2 * MAX_PIECES as usize + 2;
    Ok(spec)
}

/// What every worker is told before its first item.
fn setup<T: Task, I>(
    run: &mut AsynPmap<T, I>,
    seed: u64,
    attachments: &mut Attachments,
) -> Result<Setup, StartError> {
    let (init, exit) = (run.init.take(), run.exit.take());
    let options = &run.options;
    Ok(Setup {
        task: registry::sole_id_of::<T>()?,
        init: init.transpose()?,
        exit: exit.transpose()?,
        shared: value("shared", run.shared.as_deref(), Some(attachments))?,
        context: value("context", run.context.as_deref(), Some(attachments))?,
        batch_size: if options.context_per_worker {
            u32::MAX
        } else {
            narrow(options.batch_size)
        },
        max_concurrency: narrow(options.max_concurrency),
        max_pieces: MAX_PIECES,
        max_result_bytes: narrow(options.byte_limits.max_result),
        queue_deadline: options.deadlines.queue,
        soft_deadline: options.deadlines.soft,
        context_deadline: options.deadlines.context,
        seed,
        tell_contexts: run.observer.is_some(),
    })
}

fn dispatch_config<T: Task>(options: &PmapOptions, seed: u64, shared: bool) -> DispatchConfig {
    let cap = narrow(options.batch_size.max(LEAST_CAP)).saturating_mul(8);
    let floor = match T::STYLE {
        TaskStyle::Sync => SYNC_WINDOW,
        // A third more than can run at once: what comes in quarters never leaves a place empty.
        TaskStyle::Async => narrow(options.max_concurrency.saturating_mul(4).div_ceil(3)),
    };
    DispatchConfig {
        processes: narrow(options.processes.max()),
        takes_all: false,
        ahead: AHEAD,
        most_shared: 0,
        ordered: options.ordered,
        in_order: T::STYLE == TaskStyle::Sync,
        window_floor: floor,
        window_cap: cap.max(floor),
        max_pieces: MAX_PIECES,
        crash_limit: options.crash_limit,
        restarts: options.workers.restart_budget,
        exit_grace: options.deadlines.exit_grace,
        shared,
        min_processes: narrow(options.processes.min()),
        queue_deadline: options.deadlines.queue,
        hard_deadline: options.deadlines.hard,
        close_deadline: options.deadlines.context.or(options.deadlines.hard),
        memory: options.memory,
        retries: options.retries.clone(),
        buffer_bytes: options.byte_limits.buffer,
        keep_items: options.keep_items,
        recycle: Recycle {
            items: quota(options),
            ..options.recycle
        },
        seed,
    }
}

/// The most items that a worker process is given in its life.
fn quota(options: &PmapOptions) -> Option<u64> {
    let batch_size = options.batch_size as u64;
    let batches = options.recycle.batches;
    let by_batches = batches.map(|n| n.saturating_mul(batch_size));
    by_batches.into_iter().chain(options.recycle.items).min()
}

fn value<V: Wire>(
    option: &'static str,
    value: Option<&V>,
    attachments: Option<&mut Attachments>,
) -> Result<Bytes, StartError> {
    let value = given(option, value)?;
    let encoded = match attachments {
        None => encode_guarded(value, MAX_RECORD_BYTES),
        Some(beside) => encode_attaching_guarded(value, MAX_RECORD_BYTES, beside),
    };
    encoded.map(Bytes::from).map_err(|error| StartError::Value {
        option,
        message: error.to_string(),
    })
}

/// The value of an option that is named like the argument it is for.
pub(crate) fn given<V>(option: &'static str, value: Option<V>) -> Result<V, StartError> {
    value.ok_or_else(|| StartError::Option {
        option,
        problem: format!("was not given; the task has a `#[{option}]` argument that needs it"),
    })
}

/// Every option was checked to fit.
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
