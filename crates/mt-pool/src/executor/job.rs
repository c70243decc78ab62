//! A worker's work: set up, run items to the end of the input, report.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use futures::FutureExt;
use mt_proto::{
    Attachments, ExitReport, FromExecutor, FromWorker, InitCall, MAX_RECORD_BYTES, SetupFailure,
    SetupStep, decode_attached, decode_checked, encode_checked,
};
use tokio::runtime::Runtime;

use super::{
    run_async,
    run_calls::{self, CALLS},
    run_sync,
    work::{Job, SharedInputs, failure},
};
use crate::{
    Context, Task, Wire,
    current::Ambient,
    registry::{self, Registration},
    task::TaskStyle,
    worker::{NotSetUp, caught, drive, during_init, install, runtime, stamp_events},
};

/// Runs a task's items until there are none.
pub(crate) type Serve = fn(Job, Rc<Runtime>) -> Result<(), SetupFailure>;
/// Calls a task once, for init or exit; what it returns is encoded.
pub(crate) type CallOnce = fn(&Runtime, &[u8]) -> Result<Vec<u8>, String>;

/// Does what the parent says, on the calling thread. Returns when no more items come and all is done.
pub(super) fn run(job: Job) -> Result<(), NotSetUp> {
    let outbox = Arc::clone(&job.outbox);
    let set_up = set_up_and_serve(job).map_err(|failure| {
        outbox.say(FromWorker::SetupFailed(failure).into_frame());
        NotSetUp
    });
    outbox.finish();
    set_up
}

fn set_up_and_serve(job: Job) -> Result<(), SetupFailure> {
    let runtime = runtime().map_err(|error| failure(SetupStep::Runtime, error))?;
    if let Some(init) = &job.setup.init {
        first(init, &runtime)?;
    }
    stamp_events(|event| event.item = Ambient::current().map(|call| call.index));
    install();
    let task = match job.setup.task.as_str() {
        CALLS => None,
        name => Some(find(name)?),
    };
    let (exit, outbox) = (job.setup.exit.clone(), Arc::clone(&job.outbox));
    match task {
        Some(task) => (task.serve)(job, runtime)?,
        None => run_calls::serve(job, &runtime),
    }
    if let Some(exit) = exit {
        outbox.say(FromExecutor::Exit(run_exit(&exit)).into_frame());
    }
    Ok(())
}

thread_local! {
    /// The init that this process has gone through. Its parent gives it no run with another.
    static INIT: RefCell<Option<InitCall>> = const { RefCell::new(None) };
}

/// Calls the init, once in the life of this process.
fn first(init: &InitCall, runtime: &Runtime) -> Result<(), SetupFailure> {
    if INIT.with_borrow(|done| done.as_ref() == Some(init)) {
        return Ok(());
    }
    let task = find(&init.task)?;
    let called = during_init(|| call_hook(task, runtime, init));
    called.map_err(|message| failure(SetupStep::Init, message))?;
    INIT.set(Some(init.clone()));
    Ok(())
}

fn find(name: &str) -> Result<&'static Registration, SetupFailure> {
    let unknown = || {
        failure(
            SetupStep::Lookup,
            format!("no task is registered as `{name}`"),
        )
    };
    registry::find(name).ok_or_else(unknown)
}

/// Calls a function of the user's that runs once in a worker: init before its first item, exit after its last.
fn call_hook(task: &Registration, runtime: &Runtime, hook: &InitCall) -> Result<Vec<u8>, String> {
    caught(|| (task.call_once)(runtime, &hook.input)).map_err(|panic| panic.to_string())?
}

fn run_exit(exit: &InitCall) -> ExitReport {
    Ambient::leave();
    let call = || {
        let runtime = runtime().map_err(|error| error.to_string())?;
        let task = find(&exit.task).map_err(|failure| failure.message)?;
        call_hook(task, &runtime, exit)
    };
    match call() {
        Ok(value) => ExitReport::Returned(value.into()),
        Err(message) => ExitReport::Failed(message),
    }
}

pub(crate) fn serve<T: Task>(mut job: Job, runtime: Rc<Runtime>) -> Result<(), SetupFailure> {
    let beside = &job.attachments;
    let inputs = SharedInputs::<T> {
        shared: Rc::new(decode_for_all("shared value", &job.setup.shared, beside)?),
        config: Rc::new(decode_for_all(
            "context config",
            &job.setup.context,
            beside,
        )?),
    };
    // Whatever was decoded has its own.
    job.attachments = Attachments::NONE;
    job.outbox.say(FromWorker::Ready.into_frame());
    match T::STYLE {
        TaskStyle::Sync => run_sync::run(job, runtime, inputs),
        TaskStyle::Async => run_async::run(job, &runtime, inputs),
    }
    Ok(())
}

/// Decodes what all items share, by code that is the user's.
fn decode_for_all<V: Wire>(
    what: &str,
    value: &[u8],
    beside: &Attachments,
) -> Result<V, SetupFailure> {
    let failed = |error| failure(SetupStep::Decode, format!("{what}: {error}"));
    let decoded = caught(|| decode_attached(value, beside));
    let decoded = decoded.map_err(|panic| failed(panic.to_string()))?;
    decoded.map_err(|error| failed(error.to_string()))
}

pub(crate) fn call_once<T: Task>(runtime: &Runtime, input: &[u8]) -> Result<Vec<u8>, String> {
    let input: T::Input = decode_checked(input).map_err(|error| error.to_string())?;
    let shared = T::default_shared().ok_or("a hook takes no shared value")?;
    let config = <T::Context as Context>::default_config();
    let config = config.ok_or("a hook takes no context")?;
    let context = drive(runtime, T::Context::open(&config));
    let context = Rc::new(context.map_err(|error| error.to_string())?);
    let call = T::call(Rc::clone(&context), Rc::new(shared), input);
    let returned = match T::STYLE {
        // Outside the runtime, so that a blocking function may use one of its own.
        TaskStyle::Sync => call.now_or_never().ok_or("it waits")?,
        TaskStyle::Async => drive(runtime, call),
    };
    match returned {
        Ok(value) => encode_checked(&value, MAX_RECORD_BYTES).map_err(|error| error.to_string()),
        Err(error) => Err(T::describe_error(&error)),
    }
}
