//! The one way a test may end by the clock: it hangs.

use std::{
    io::Write,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use crate::platform::PATIENCE;

/// Goes off after a minute, or what is as long on other systems, unless it is dropped before.
#[must_use]
#[derive(Debug)]
pub struct Alarm {
    _alive: Sender<()>,
}

impl Alarm {
    /// Does this after a minute, in a thread of its own.
    pub fn new(act: impl FnOnce() + Send + 'static) -> Self {
        let (alive, gone) = channel::<()>();
        thread::spawn(move || {
            if gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                act();
            }
        });
        Self { _alive: alive }
    }
}

/// Ends the process after a minute, and with it the test, unless it is dropped before. Says what each of its threads does,
/// and those of the processes below it.
pub fn watchdog(name: impl Into<String>) -> Alarm {
    let name = name.into();
    Alarm::new(move || {
        // Not `eprintln!`: the test runner would keep it and die with it.
        let _ = writeln!(std::io::stderr(), "{name} hangs");
        for doing in crate::process::doing_below() {
            let _ = writeln!(std::io::stderr(), "{name} hangs: {doing}");
        }
        std::process::abort();
    })
}

/// Looks again and again, for a minute at most.
#[track_caller]
pub fn wait_until(mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < PATIENCE, "it never comes true");
        // Leaves the processor to those it waits for; nobody unparks it.
        thread::park_timeout(Duration::from_millis(1));
    }
}
