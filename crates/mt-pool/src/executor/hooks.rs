//! The user's functions that run once in a worker: init before its first item, exit after its last.

use mt_proto::{ExitReport, Failure, InitCall, SetupFailure, SetupStep};
use tokio::runtime::{Builder, Runtime};

use super::{ambient::Ambient, work::failure};
use crate::{registry, worker::caught};

/// Calls the init function.
pub(super) fn run_init(runtime: &Runtime, init: &InitCall) -> Result<(), SetupFailure> {
    let task = registry::find(&init.task).ok_or_else(|| unknown(&init.task))?;
    match caught(|| task.call_once()(runtime, &init.input)) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(message)) => Err(failure(SetupStep::Init, message)),
        Err(panic) => Err(failure(SetupStep::Init, described(panic))),
    }
}

/// Calls the exit hook.
pub(super) fn run_exit(exit: &InitCall) -> ExitReport {
    Ambient::leave();
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ExitReport::Failed(error.to_string()),
    };
    let Some(task) = registry::find(&exit.task) else {
        return ExitReport::Failed(unknown(&exit.task).message);
    };
    match caught(|| task.call_once()(&runtime, &exit.input)) {
        Ok(Ok(value)) => ExitReport::Returned(value.into()),
        Ok(Err(message)) => ExitReport::Failed(message),
        Err(panic) => ExitReport::Failed(described(panic)),
    }
}

pub(super) fn unknown(name: &str) -> SetupFailure {
    failure(
        SetupStep::Lookup,
        format!("no task is registered as `{name}`"),
    )
}

fn described(panic: Failure) -> String {
    match panic {
        Failure::Panicked {
            message, location, ..
        } => {
            let at = location.map_or(String::new(), |at| format!(" (at {at})"));
            format!("panicked: {message}{at}")
        }
        other => format!("{other:?}"),
    }
}
