//! Panics of user code, caught with their message, place and call stack.

use std::{
    any::Any,
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook},
};

use mt_proto::{Failure, clip_text};

/// A panic message longer than this is cut before it is looked at any further.
const PAYLOAD_BYTES: usize = 64 * 1024;

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Report>> = const { RefCell::new(None) };
}

#[derive(Debug)]
struct Report {
    message: String,
    location: Option<String>,
    backtrace: String,
}

/// Makes panics of this thread be kept for [`caught`] instead of printed. Those of other threads are
/// shown as before.
pub(super) fn install_hook() {
    WATCHING.set(true);
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if WATCHING.get() {
            let report = report(info);
            LAST.with_borrow_mut(|last| *last = Some(report));
        } else {
            before(info);
        }
    }));
}

/// Runs user code; a panic becomes an outcome.
#[inline]
pub(super) fn caught<R>(code: impl FnOnce() -> R) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(code)).map_err(failure)
}

#[cold]
fn failure(payload: Box<dyn Any + Send>) -> Failure {
    // Dropping a payload is user code too.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    match LAST.with_borrow_mut(Option::take) {
        Some(Report {
            message,
            location,
            backtrace,
        }) => Failure::Panicked {
            message,
            location,
            backtrace,
        },
        // `resume_unwind` runs no hook.
        None => Failure::Panicked {
            message: "a panic without a message".into(),
            location: None,
            backtrace: String::new(),
        },
    }
}

fn report(info: &PanicHookInfo<'_>) -> Report {
    let wanted = std::env::var_os("RUST_BACKTRACE").is_none_or(|value| value != "0");
    let backtrace = if wanted {
        Backtrace::force_capture().to_string()
    } else {
        String::new()
    };
    Report {
        message: clip_text(panic_text(info.payload())),
        location: info.location().map(ToString::to_string),
        backtrace: clip_text(backtrace),
    }
}

/// The message of a panic, for the payloads that `panic!` makes.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message");
    let mut end = text.len().min(PAYLOAD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
