//! Whether the system has killed a worker for want of memory: what the counter of its own control group says.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{LazyLock, Mutex},
    time::Instant,
};

use super::oom_ledger::OomLedger;
use crate::{load, lock::lock};

/// The groups of workers that are remembered. Each is found again when it is not.
const MAX_GROUPS: usize = 64;

/// The ledgers of all groups that workers of this process are in: a kill is claimed once, whoever's worker it was.
static LEDGERS: LazyLock<Mutex<HashMap<PathBuf, OomLedger>>> = LazyLock::new(Mutex::default);

/// Watches the kills in the control group of one worker.
#[derive(Debug)]
pub(super) struct OomEvidence {
    pid: u32,
    group: Option<load::KillCounter>,
}

impl OomEvidence {
    /// Over a worker that has just been started, or found for a new owner.
    pub(super) fn new(pid: u32) -> Self {
        let mut evidence = Self { pid, group: None };
        evidence.look();
        evidence
    }

    /// Counts the kills so far. To be called now and then while the worker lives: what is counted long before its
    /// end was not its own.
    pub(super) fn look(&mut self) {
        // It may have been moved to another.
        if let Some(group) = load::kill_counter(self.pid) {
            self.group = Some(group);
        }
        self.with_ledger(|ledger, now, counter| ledger.count(now, counter));
    }

    /// Whether it is the system that has killed the worker, which is known to be dead now, of a `SIGKILL` that
    /// nobody here has sent.
    pub(super) fn claim(&self) -> bool {
        let claimed = self.with_ledger(OomLedger::claim);
        claimed.unwrap_or(false)
    }

    fn with_ledger<T>(&self, act: impl FnOnce(&mut OomLedger, Instant, u64) -> T) -> Option<T> {
        let group = self.group.as_ref()?;
        let counter = group.kills()?;
        let mut ledgers = lock(&LEDGERS);
        if ledgers.len() >= MAX_GROUPS && !ledgers.contains_key(group.path()) {
            ledgers.clear();
        }
        let ledger = ledgers.entry(group.path().to_owned());
        let ledger = ledger.or_insert_with(|| OomLedger::new(counter));
        Some(act(ledger, Instant::now(), counter))
    }
}
