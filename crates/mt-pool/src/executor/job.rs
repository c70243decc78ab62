//! A worker's work: set up, run items to the end of the input, report.

use std::{rc::Rc, sync::Arc};

use futures::FutureExt;
use mt_proto::{
    FromExecutor, FromWorker, MAX_RECORD_BYTES, SetupFailure, SetupStep, decode_strict, encode,
};
use tokio::runtime::{Builder, Runtime};

use super::{
    ambient::Ambient,
    hooks::{run_exit, run_init, unknown},
    run_async, run_sync,
    work::{ExecutorWork, Job, SharedInputs, failure},
};
use crate::{
    Context, Task, registry,
    task::TaskStyle,
    worker::{NotSetUp, caught, during_init, install, tell_items},
};

/// Runs a task's items until there are none.
pub(crate) type Serve = fn(Job) -> Result<(), SetupFailure>;
/// Calls a task once, for init or exit; what it returns is encoded.
pub(crate) type CallOnce = fn(&Runtime, &[u8]) -> Result<Vec<u8>, String>;

/// Does what the parent says, on the calling thread. Returns when no more items come and all is done.
pub(super) fn run(work: ExecutorWork) -> Result<(), NotSetUp> {
    let outbox = Arc::clone(&work.outbox);
    let done = set_up_and_serve(work);
    let set_up = done.map_err(|failure| {
        outbox.say(FromWorker::SetupFailed(failure).into_frame());
        NotSetUp
    });
    outbox.finish();
    set_up
}

fn set_up_and_serve(work: ExecutorWork) -> Result<(), SetupFailure> {
    let ExecutorWork {
        setup,
        inbox,
        outbox,
        progress,
        beat_interval,
    } = work;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failure(SetupStep::Runtime, error))?;
    if let Some(init) = &setup.init {
        during_init(|| run_init(&runtime, init))?;
    }
    tell_items(|| Ambient::current().map(|call| call.index));
    install();
    let task = registry::find(&setup.task).ok_or_else(|| unknown(&setup.task))?;
    let exit = setup.exit.clone();
    task.serve()(Job {
        setup,
        inbox,
        outbox: Arc::clone(&outbox),
        progress,
        runtime,
        beat_interval,
    })?;
    if let Some(exit) = exit {
        outbox.say(FromExecutor::Exit(run_exit(&exit)).into_frame());
    }
    Ok(())
}

/// Runs `T`.
pub(crate) fn serve<T: Task>(job: Job) -> Result<(), SetupFailure> {
    let decode = |what: &str, error| failure(SetupStep::Decode, format!("{what}: {error}"));
    let shared = caught(|| decode_strict(&job.setup.shared))
        .map_err(|panic| failure(SetupStep::Decode, format!("shared value: {panic:?}")))?
        .map_err(|error| decode("shared value", error))?;
    let config = caught(|| decode_strict(&job.setup.context))
        .map_err(|panic| failure(SetupStep::Decode, format!("context config: {panic:?}")))?
        .map_err(|error| decode("context config", error))?;
    let inputs = SharedInputs::<T> {
        shared: Rc::new(shared),
        config: Rc::new(config),
    };
    job.outbox.say(FromWorker::Ready.into_frame());
    match T::STYLE {
        TaskStyle::Sync => run_sync::run(job, inputs),
        TaskStyle::Async => run_async::run(job, inputs),
    }
    Ok(())
}

/// Calls `T` once with an encoded input; what it returns is encoded.
pub(crate) fn call_once<T: Task>(runtime: &Runtime, input: &[u8]) -> Result<Vec<u8>, String> {
    let input: T::Input = decode_strict(input).map_err(|error| error.to_string())?;
    let shared = T::default_shared().ok_or("a hook takes no shared value")?;
    let config = <T::Context as Context>::default_config();
    let config = config.ok_or("a hook takes no context")?;
    let open = || {
        runtime
            .block_on(T::Context::open(&config))
            .map_err(|error| error.to_string())
    };
    let context = Rc::new(open()?);
    let call = T::call(Rc::clone(&context), Rc::new(shared), input);
    let returned = match T::STYLE {
        // Outside the runtime, so that a blocking function may use one of its own.
        TaskStyle::Sync => call.now_or_never().ok_or("it waits")?,
        TaskStyle::Async => runtime.block_on(call),
    };
    match returned {
        Ok(value) => encode(&value, MAX_RECORD_BYTES).map_err(|error| error.to_string()),
        Err(error) => Err(T::describe_error(&error)),
    }
}
