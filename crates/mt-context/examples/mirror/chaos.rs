//! Knows which workers live: for their memory, and to kill one every so often.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mt_pool::events::PoolEvent;
use rustix::process::{Pid, Signal, kill_process};

/// When the first worker is killed. Each pause is a quarter longer than the one before, so that the largest object has its
/// time some day.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// The workers that live, and who kills them.
#[derive(Clone, Default)]
pub(crate) struct Victims(Arc<Mutex<BTreeSet<u32>>>);

/// Kills until it is stopped.
pub(crate) struct Chaos {
    stop: Sender<()>,
    thread: JoinHandle<u64>,
}

impl Victims {
    /// Follows who comes and goes.
    pub(crate) fn on_event(&self, event: &PoolEvent) {
        let mut pids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            PoolEvent::WorkerStarted { pid, .. } => {
                pids.insert(*pid);
            }
            PoolEvent::WorkerDied { pid, .. } | PoolEvent::WorkerLeft { pid, .. } => {
                pids.remove(pid);
            }
            _ => {}
        }
    }

    /// The most memory that a worker that lives has had in RAM, in bytes; 0 where the system does not say.
    pub(crate) fn most_resident_bytes(&self) -> u64 {
        let pids = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let most = pids.iter().filter_map(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))?;
            let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
            Some(kib * 1024)
        });
        most.max().unwrap_or_default()
    }

    /// Begins to kill one after the other.
    pub(crate) fn begin(self) -> Chaos {
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || {
            let (mut kills, mut last) = (0, 0);
            let mut pause = FIRST_PAUSE;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let pids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let next = pids.range(last + 1..).next().or_else(|| pids.first());
                let Some(&pid) = next else { continue };
                last = pid;
                pause += pause / 4;
                // One that has ended by itself is no victim.
                if Pid::from_raw(pid.cast_signed())
                    .is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
                {
                    kills += 1;
                }
            }
            kills
        });
        Chaos { stop, thread }
    }
}

impl Chaos {
    /// Ends it. Returns how many were killed.
    pub(crate) fn end(self) -> u64 {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}
