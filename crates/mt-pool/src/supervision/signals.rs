//! Ctrl-C and `SIGTERM`: the first ends the runs there are in the way they want, the second ends the process as ever.
//!
//! Loop: none of its own; whoever listens waits for both signals at once, and both waits are cancel-safe.

use crate::platform::{AskedBy, StopSignal};

/// What to do on a signal that asks this process to end, Ctrl-C (`SIGINT`) or `SIGTERM`; on Windows Ctrl-C, and what a console
/// says when it is closed or broken (Ctrl-Break), or the system is shut down. The same for a run of the pool
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
            interrupt: Listener::listen(AskedBy::Interrupt, policies.interrupt),
            terminate: Listener::listen(AskedBy::Terminate, policies.terminate),
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
    signal: Option<StopSignal>,
    how: Interruption,
}

impl Listener {
    fn listen(asked_by: AskedBy, policy: OnSignal) -> Self {
        let how = match policy {
            OnSignal::Drain | OnSignal::Ignore => Interruption::Drain,
            OnSignal::AtOnce => Interruption::AtOnce,
        };
        let counts = policy != OnSignal::Ignore;
        let signal = counts.then(|| StopSignal::listen(asked_by)).flatten();
        Self { signal, how }
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
