//! Panics of user code, caught with their message, place and call stack.

mod stack;

use std::{
    any::Any,
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    future::poll_fn,
    io::{self, Write},
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook},
    pin::pin,
    task::Poll,
};

use mt_proto::{Failure, clip_text};

/// A panic message longer than this is cut before it is looked at any further.
const PAYLOAD_BYTES: usize = 64 * 1024;
/// The panics kept that came before another one and were not reported: either user code has caught
/// them, or they are still unwinding.
const UNREPORTED: usize = 2;
/// What `core` says when it panics where that ends the process.
const ENDS: [&str; 2] = [
    "panic in a function that cannot unwind",
    "panic in a destructor during cleanup",
];

const NO_MESSAGE: &str = "a panic without a message";

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Report>> = const { RefCell::new(None) };
}

#[derive(Debug, Default)]
struct Report {
    message: String,
    location: Option<String>,
    backtrace: String,
    unreported: Vec<String>,
}

/// Makes panics of this thread be kept for [`caught`] instead of printed. Those of other threads are
/// shown as before, and so are those that end the process, with what was kept before them.
pub(super) fn install_hook() {
    WATCHING.set(true);
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if !WATCHING.get() {
            return before(info);
        }
        let report = report(info);
        let ends = cfg!(panic = "abort") || ENDS.contains(&report.message.as_str());
        let unreported = LAST.with_borrow_mut(|last| {
            let unreported = last.take().map_or(Vec::new(), Report::into_unreported);
            *last = Some(Report {
                unreported: unreported.clone(),
                ..report
            });
            unreported
        });
        if ends {
            before(info);
            // Behind the long call stack, which would push them out of what is kept of a worker's words.
            for panic in unreported {
                // Not `eprintln!`, which panics when nobody reads.
                let _ = writeln!(io::stderr(), "before that, {panic}");
            }
        }
    }));
}

impl Report {
    /// The panic and those before it that were not reported, in a line each.
    fn into_unreported(mut self) -> Vec<String> {
        let at = self.location.unwrap_or_default();
        let said = clip_text(self.message);
        self.unreported.push(format!("panicked at {at}: {said}"));
        let over = self.unreported.len().saturating_sub(UNREPORTED);
        self.unreported.drain(..over);
        self.unreported
    }
}

/// Runs user code; a panic becomes an outcome.
///
/// # Errors
/// [`Failure::Panicked`].
#[inline]
pub fn caught<R>(code: impl FnOnce() -> R) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(code)).map_err(failure)
}

/// Runs a future of user code; a panic ends it.
///
/// # Errors
/// [`Failure::Panicked`].
pub async fn caught_async<F: Future>(future: F) -> Result<F::Output, Failure> {
    let mut future = pin!(future);
    poll_fn(|cx| match caught(|| future.as_mut().poll(cx)) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

#[cold]
fn failure(payload: Box<dyn Any + Send>) -> Failure {
    let message = panic_text(&*payload);
    // Dropping a payload is user code too.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    // `resume_unwind` runs no hook, and outside a worker it is not ours.
    let unreported = || Report {
        message,
        ..Report::default()
    };
    let report = LAST
        .with_borrow_mut(Option::take)
        .unwrap_or_else(unreported);
    Failure::Panicked {
        message: report.message,
        location: report.location,
        backtrace: report.backtrace,
    }
}

fn report(info: &PanicHookInfo<'_>) -> Report {
    let form = std::env::var_os("RUST_BACKTRACE").unwrap_or_default();
    let backtrace = match form.to_str() {
        Some("0") => String::new(),
        Some("full") => Backtrace::force_capture().to_string(),
        _ => stack::of_user(&Backtrace::force_capture().to_string()),
    };
    Report {
        message: clip_text(panic_text(info.payload())),
        location: info.location().map(ToString::to_string),
        backtrace: clip_text(backtrace),
        unreported: Vec::new(),
    }
}

/// The message of a panic, for the payloads that `panic!` makes.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or(NO_MESSAGE);
    text[..text.floor_char_boundary(PAYLOAD_BYTES)].to_owned()
}
