//! Ctrl-C and `SIGTERM`: the first ends the runs there are in the way they want, the second ends the process as ever.
//!
//! Loop: none of its own; whoever listens waits for both signals at once, and both waits are cancel-safe.

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

use crate::lock::lock;

/// What to do on a signal that asks this process to end, Ctrl-C (`SIGINT`) or `SIGTERM`. The same for a run of the pool
/// and for a hive of `mt-beehive`, where a run is the life of the hive, and its `workers` says how tasks end.
///
/// With [`Drain`](Self::Drain) and [`AtOnce`](Self::AtOnce) the second one, or one when no run goes on, ends the process
/// as if nothing had been changed. A handler that the program has installed before its first run is left alone and still
/// called. A process that ignores the signal when a run begins (`trap '' INT`, a background job of a script) goes on
/// ignoring it, and so does the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[doc(alias = "OnInterrupt")]
pub enum OnSignal {
    /// The first one, while a run goes on, lets what runs finish and cancels the rest; the stream
    /// then ends, and [`Stats::interrupted`](crate::stats::Stats) tells.
    #[default]
    Drain,
    /// The first one, while a run goes on, cancels the run: what runs is killed, every item has its outcome, and the
    /// stream ends.
    AtOnce,
    /// Nothing: the program's own handling, or the system's, is not touched by this run.
    Ignore,
}

/// What to do on each of the signals that ask this process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnSignals {
    /// On Ctrl-C, `SIGINT`. Default: [`OnSignal::Drain`].
    pub interrupt: OnSignal,
    /// On `SIGTERM`. Default: [`OnSignal::Ignore`].
    pub terminate: OnSignal,
}

impl Default for OnSignals {
    fn default() -> Self {
        Self {
            interrupt: OnSignal::Drain,
            terminate: OnSignal::Ignore,
        }
    }
}

impl OnSignals {
    /// Neither.
    pub const IGNORE: Self = Self {
        interrupt: OnSignal::Ignore,
        terminate: OnSignal::Ignore,
    };
}

/// How what goes on is to end, because a signal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// What runs is finished, the rest is cancelled.
    Drain,
    /// All is cancelled.
    AtOnce,
}

/// Listens for both signals as long as it lives.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: Listener,
    terminate: Listener,
}

impl Interrupts {
    /// Starts listening, on the current runtime, whose poller must be enabled.
    #[must_use]
    pub fn listen(policies: OnSignals) -> Self {
        Self {
            interrupt: Listener::listen(&INTERRUPT, policies.interrupt),
            terminate: Listener::listen(&TERMINATE, policies.terminate),
        }
    }

    /// Waits for a signal; for ever if none counts. Cancel-safe.
    pub async fn interrupted(&mut self) -> Interruption {
        // Both arms are cancel-safe.
        tokio::select! {
            how = self.interrupt.came() => how,
            how = self.terminate.came() => how,
        }
    }
}

/// Listens for one signal, if that counts.
#[derive(Debug)]
struct Listener {
    signal: Option<Signal>,
    switch: &'static Switch,
    how: Interruption,
}

impl Listener {
    fn listen(switch: &'static Switch, policy: OnSignal) -> Self {
        let how = match policy {
            OnSignal::Drain | OnSignal::Ignore => Interruption::Drain,
            OnSignal::AtOnce => Interruption::AtOnce,
        };
        let mut listener = Self {
            signal: None,
            switch,
            how,
        };
        if policy == OnSignal::Ignore || mt_ipc::is_ignored(switch.signal) {
            return listener;
        }
        let default = switch.default_effect();
        listener.signal = signal(SignalKind::from_raw(switch.signal)).ok();
        if listener.signal.is_some() {
            switch.runs.fetch_add(1, Ordering::SeqCst);
            default.store(false, Ordering::SeqCst);
        }
        listener
    }

    async fn came(&mut self) -> Interruption {
        match &mut self.signal {
            Some(signal) => {
                signal.recv().await;
                self.how
            }
            None => std::future::pending().await,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.signal.is_some() && self.switch.runs.fetch_sub(1, Ordering::SeqCst) == 1 {
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
