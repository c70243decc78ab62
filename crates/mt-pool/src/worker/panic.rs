//! Panics of user code, caught with their message, place and call stack.
//!
//! The hook sees every panic of the worker's main thread, also those that user code catches itself. So it keeps
//! no more than what can't be had later: the place, and the addresses of the call stack. Names for these, which take a
//! look into the program's debug information, are found only for a panic that becomes an outcome. And because
//! `resume_unwind` calls no hook, what the hook has kept is told only of the very payload that arrives.

mod seen;
mod stack;
#[cfg(test)]
mod tests;

use std::{
    any::Any,
    backtrace::Backtrace,
    cell::Cell,
    fmt,
    future::poll_fn,
    io::{self, Write},
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind, set_hook, take_hook},
    pin::{Pin, pin},
    task::Poll,
};

use mt_proto::{Failure, clip_text, discard, guarded, panic_text};

use seen::Seen;

/// What `core` says when it panics where that ends the process.
const ENDS: [&str; 2] = [
    "panic in a function that cannot unwind",
    "panic in a destructor during cleanup",
];

/// A panic of user code that was caught. What it carried is dropped.
pub struct Panic(Box<Told>);

struct Told {
    message: String,
    location: Option<String>,
    /// Without names: finding them can take the better part of a second, once in a process.
    stack: Option<Backtrace>,
}

impl Panic {
    /// What it said.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The panic as an outcome, without its call stack.
    #[must_use]
    pub fn brief(&self) -> Failure {
        Failure::Panicked {
            message: self.0.message.clone(),
            location: self.0.location.clone(),
            backtrace: String::new(),
        }
    }
}

/// Without the call stack, which is long and has no names yet.
impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Panic({self})")
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0.message)?;
        match &self.0.location {
            Some(at) => write!(f, " (at {at})"),
            None => Ok(()),
        }
    }
}

/// Finds the names of the call stack, which may take its time.
impl From<Panic> for Failure {
    #[cold]
    fn from(Panic(told): Panic) -> Self {
        let stack = told.stack.map(|stack| stack.to_string());
        let backtrace = match stack {
            Some(stack) if is_full() => stack,
            Some(stack) => stack::of_user(&stack),
            None => String::new(),
        };
        Self::Panicked {
            message: told.message,
            location: told.location,
            backtrace: clip_text(backtrace),
        }
    }
}

/// Makes panics of this thread be kept for [`caught`] instead of printed. Those of other threads are
/// shown as before, and so are those that end the process, with what was kept before them.
pub(super) fn install_hook() {
    seen::watch_this_thread();
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if !seen::is_watched() {
            return before(info);
        }
        let new = see(info);
        let ends = cfg!(panic = "abort") || ENDS.contains(&new.message());
        if !ends {
            return seen::keep(new);
        }
        before(info);
        // Behind the long call stack, which would push them out of what is kept of a worker's words.
        for panic in seen::take_all() {
            say(format_args!("before that, {panic}"));
        }
    }));
}

/// Whether this is the thread that runs user code.
pub(super) fn is_user_thread() -> bool {
    seen::is_watched()
}

fn see(info: &PanicHookInfo<'_>) -> Seen {
    let wanted = std::env::var_os("RUST_BACKTRACE").is_none_or(|form| form != "0");
    let stack = wanted.then(Backtrace::force_capture);
    let location = info.location().map(ToString::to_string);
    Seen::new(info.payload(), location, stack)
}

fn is_full() -> bool {
    std::env::var_os("RUST_BACKTRACE").is_some_and(|form| form == "full")
}

/// Writes a line to standard error in one piece: others write there too, and the process may be ended meanwhile.
pub(super) fn say(line: fmt::Arguments<'_>) {
    // Not `eprintln!`, which panics when nobody reads.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Runs user code; a panic becomes an outcome.
///
/// # Errors
/// The [`Panic`].
#[inline]
pub fn caught<R>(code: impl FnOnce() -> R) -> Result<R, Panic> {
    seen::begin();
    let returned = catch_unwind(AssertUnwindSafe(code));
    // It may have returned twice.
    mt_ipc::end_copy();
    returned.map_err(told)
}

/// Runs a future of user code; a panic ends it. Its drop, when it has ended or is given up, is user code too: a panic
/// in it is logged.
///
/// # Errors
/// The [`Panic`].
pub async fn caught_async<F: Future>(future: F) -> Result<F::Output, Panic> {
    let mut place = pin!(Some(future));
    let mut held = Guarded(place.as_mut());
    poll_fn(|cx| match caught(|| held.poll(cx)) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// Has a future driven by what runs other code beside it. A panic of the future itself goes through; one of the other
/// code ends the process, while the future is there still.
pub(super) fn driven<F: Future>(
    future: F,
    drive: impl FnOnce(Pin<&mut dyn Future<Output = F::Output>>) -> F::Output,
    end: fn(Panic) -> !,
) -> F::Output {
    let (mut future, inside) = (pin!(future), Cell::new(false));
    let mut watched = pin!(poll_fn(|cx| {
        inside.set(true);
        let polled = future.as_mut().poll(cx);
        inside.set(false);
        polled
    }));
    match catch_unwind(AssertUnwindSafe(|| drive(watched.as_mut()))) {
        Ok(output) => output,
        Err(payload) if inside.get() => resume_unwind(payload),
        Err(payload) => end(told(payload)),
    }
}

/// Drops what is the user's; a panic is logged, and ends nothing.
pub fn drop_caught<V>(what: &'static str, value: V) {
    if let Err(panic) = caught(|| drop(value)) {
        let _ = guarded(|| tracing::error!(%panic, "{what} panicked when it was dropped"));
    }
}

/// A future that is dropped with care.
struct Guarded<'a, F>(Pin<&'a mut Option<F>>);

impl<F: Future> Guarded<'_, F> {
    fn poll(&mut self, cx: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let future = self.0.as_mut().as_pin_mut();
        future.expect("set until it is dropped").poll(cx)
    }
}

impl<F> Drop for Guarded<'_, F> {
    fn drop(&mut self) {
        if let Err(panic) = caught(|| self.0.set(None)) {
            let _ = guarded(|| tracing::error!(%panic, "a future panicked when it was dropped"));
        }
    }
}

#[cold]
fn told(payload: Box<dyn Any + Send>) -> Panic {
    let seen = seen::take(&*payload);
    let (location, stack) = seen.map_or((None, None), Seen::into_place);
    let message = clip_text(panic_text(&*payload));
    discard(payload);
    Panic(Box::new(Told {
        message,
        location,
        stack,
    }))
}
