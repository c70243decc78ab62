//! The one way a test here may end by the clock: it hangs.

use std::{
    io::Write,
    sync::mpsc::{Sender, channel},
    thread,
    time::Duration,
};

/// Ends the process, and with it the test run, unless it is dropped before.
pub(crate) struct Watchdog {
    _alive: Sender<()>,
}

pub(crate) fn watchdog(name: &'static str) -> Watchdog {
    let (alive, gone) = channel::<()>();
    thread::spawn(move || {
        let patience = Duration::from_secs(60);
        if gone.recv_timeout(patience) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            // Not `eprintln!`: the test runner would keep it and die with it.
            let _ = writeln!(std::io::stderr(), "{name} hangs");
            std::process::abort();
        }
    });
    Watchdog { _alive: alive }
}
