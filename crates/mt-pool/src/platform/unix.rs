//! Signals.

use std::{
    ffi::c_int,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::AskedBy;
use crate::lock::lock;

/// Listens for a signal as long as it lives. The first one finds it, the second has its default effect.
#[derive(Debug)]
pub(crate) struct StopSignal {
    signal: Signal,
    switch: &'static Switch,
}

impl StopSignal {
    /// Starts listening, on the current runtime; `None` if this process ignores the signal, or the system refuses.
    pub(crate) fn listen(asked_by: AskedBy) -> Option<Self> {
        let switch = match asked_by {
            AskedBy::Interrupt => &INTERRUPT,
            AskedBy::Terminate => &TERMINATE,
        };
        if mt_ipc::is_ignored(switch.signal) {
            return None;
        }
        let default = switch.default_effect();
        let signal = signal(SignalKind::from_raw(switch.signal)).ok()?;
        switch.runs.fetch_add(1, Ordering::SeqCst);
        default.store(false, Ordering::SeqCst);
        Some(Self { signal, switch })
    }

    /// Waits for it. Cancel-safe.
    pub(crate) async fn recv(&mut self) {
        self.signal.recv().await;
    }
}

impl Drop for StopSignal {
    fn drop(&mut self) {
        if self.switch.runs.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.switch.default_effect().store(true, Ordering::SeqCst);
        }
    }
}

/// Whether a signal has its default effect: there is no run that counts it, or one has been told already.
#[derive(Debug)]
struct Switch {
    signal: c_int,
    by_default: Mutex<Option<Arc<AtomicBool>>>,
    runs: AtomicUsize,
}

static INTERRUPT: Switch = Switch::new(SIGINT);
static TERMINATE: Switch = Switch::new(SIGTERM);

impl Switch {
    const fn new(signal: c_int) -> Self {
        Self {
            signal,
            by_default: Mutex::new(None),
            runs: AtomicUsize::new(0),
        }
    }

    /// The switch of the default effect, installed at the first use.
    ///
    /// tokio's listener takes the signal away from the system for good. This puts the default effect back
    /// for the times without a run, unless the program handles the signal itself.
    fn default_effect(&self) -> Arc<AtomicBool> {
        let mut switch = lock(&self.by_default);
        if let Some(switch) = &*switch {
            return Arc::clone(switch);
        }
        let new = Arc::new(AtomicBool::new(true));
        if !program_handles(self.signal) {
            // In this order: the first signal finds the switch off and turns it on, inside the signal
            // handler, so that a second one has its effect however soon it comes. Without them the signal
            // would only drain: better than no run at all.
            let _ = signal_hook::flag::register_conditional_default(self.signal, Arc::clone(&new));
            let _ = signal_hook::flag::register(self.signal, Arc::clone(&new));
        }
        *switch = Some(Arc::clone(&new));
        new
    }
}

/// Whether something else in this process has a handler for a signal, as far as the system tells.
fn program_handles(signal: c_int) -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
