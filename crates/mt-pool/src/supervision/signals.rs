//! Ctrl-C: the first drains the runs there are, the second ends the process as ever.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::lock::lock;

/// What to do on Ctrl-C (`SIGINT`). The same for a run of the pool and for a hive of `mt-beehive`, where a run is
/// the life of the hive, and its `on_interrupt` says how tasks end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnInterrupt {
    /// The first one, while a run goes on, lets what runs finish and cancels the rest; the stream
    /// then ends, and [`Stats::interrupted`](crate::stats::Stats) tells. The second one, or one when no run
    /// goes on, ends the process as if nothing had been changed. A handler that the program has
    /// installed before its first run is left alone and still called. A process that ignores `SIGINT` when
    /// a run begins (`trap '' INT`, a background job of a script) goes on ignoring it, and so does the run.
    #[default]
    Drain,
    /// Nothing: the program's own handling, or the system's, is not touched by this run.
    Ignore,
}

/// Listens for Ctrl-C as long as it lives.
#[derive(Debug)]
pub struct Interrupts {
    signal: Option<Signal>,
}

/// Whether Ctrl-C has its default effect: there is no run, or one has been told already.
static BY_DEFAULT: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);
static RUNS: AtomicUsize = AtomicUsize::new(0);

impl Interrupts {
    /// Starts listening, on the current runtime, whose poller must be enabled.
    pub fn listen(policy: OnInterrupt) -> Self {
        if policy == OnInterrupt::Ignore || mt_ipc::is_ignored(signal_hook::consts::SIGINT) {
            return Self { signal: None };
        }
        let default = default_effect();
        let signal = signal(SignalKind::interrupt()).ok();
        if signal.is_some() {
            RUNS.fetch_add(1, Ordering::SeqCst);
            default.store(false, Ordering::SeqCst);
        }
        Self { signal }
    }

    /// Waits for a Ctrl-C; for ever if none counts. Cancel-safe.
    pub async fn interrupted(&mut self) {
        match &mut self.signal {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        if self.signal.is_some() && RUNS.fetch_sub(1, Ordering::SeqCst) == 1 {
            default_effect().store(true, Ordering::SeqCst);
        }
    }
}

/// The switch of the default effect, installed at the first use.
///
/// tokio's listener takes the signal away from the system for good. This puts the default effect back
/// for the times without a run, unless the program handles the signal itself.
fn default_effect() -> Arc<AtomicBool> {
    let mut switch = lock(&BY_DEFAULT);
    if let Some(switch) = &*switch {
        return Arc::clone(switch);
    }
    let new = Arc::new(AtomicBool::new(true));
    if !program_handles_interrupt() {
        let interrupt = signal_hook::consts::SIGINT;
        // In this order: the first Ctrl-C finds the switch off and turns it on, inside the signal
        // handler, so that a second one has its effect however soon it comes. Without them Ctrl-C
        // would only drain: better than no run at all.
        let _ = signal_hook::flag::register_conditional_default(interrupt, Arc::clone(&new));
        let _ = signal_hook::flag::register(interrupt, Arc::clone(&new));
    }
    *switch = Some(Arc::clone(&new));
    new
}

/// Whether something else in this process has a handler for `SIGINT`, as far as the system tells.
fn program_handles_interrupt() -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal_hook::consts::SIGINT - 1) & 1 == 1)
}
