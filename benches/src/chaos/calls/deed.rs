//! What workers do when they are called, and the traces of calls that never end by themselves.
//!
//! Such a call locks a file of its own for as long as it runs: the system ends a lock with its process, whatever becomes
//! of that, and nobody has to guess from a process's number whether it is still the same.

use std::{
    fs::{File, OpenOptions, TryLockError},
    future::pending,
    hint, io,
    os::unix::fs::FileExt,
    process,
    sync::Once,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mt_test_kit::Folder;
use serde::{Deserialize, Serialize};

use super::super::job::Job;

/// The file with the processes that were called.
const AT_WORK: &str = "at work";
/// The file with the calls that began while they were still running elsewhere.
const TWICE: &str = "twice";
/// The bytes of a trace: a process and a time.
const TRACE_BYTES: usize = 16;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Deed {
    Return,
    Sleep {
        micros: u64,
    },
    /// Returns an error.
    Refuse,
    /// Ends its process.
    Fault(u8),
    /// Never ends by itself.
    Hold(Hold),
}

/// How a call never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hold {
    /// Keeps its processor.
    Spin,
    /// Keeps its thread.
    Block,
    /// Awaits, as only an `async fn` can.
    Pend,
}

/// What a call is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) n: u64,
    pub(super) deed: Deed,
    pub(super) notes: Folder,
}

#[mt_pool::task]
pub(super) fn plain_call(order: Order) -> Result<u64, u64> {
    order.begin();
    match order.deed {
        Deed::Sleep { micros } => thread::sleep(Duration::from_micros(micros)),
        Deed::Hold(hold) => order.hold(hold),
        _ => {}
    }
    order.outcome()
}

#[mt_pool::task]
pub(super) async fn async_call(order: Order) -> Result<u64, u64> {
    order.begin();
    match order.deed {
        Deed::Sleep { micros } => tokio::time::sleep(Duration::from_micros(micros)).await,
        Deed::Hold(Hold::Pend) => {
            let _running = order.leave_trace();
            pending().await
        }
        Deed::Hold(hold) => order.hold(hold),
        _ => {}
    }
    order.outcome()
}

impl Order {
    /// Says once that this process is called.
    fn begin(&self) {
        static FIRST: Once = Once::new();
        FIRST.call_once(|| self.notes.note(AT_WORK, u64::from(process::id())));
    }

    fn outcome(&self) -> Result<u64, u64> {
        let fault = match self.deed {
            Deed::Refuse => return Err(self.n),
            Deed::Fault(fault) => Some(fault),
            _ => None,
        };
        let n = self.n;
        Ok(Job { n, fault }.work(&self.notes))
    }

    fn hold(&self, hold: Hold) -> ! {
        let _running = self.leave_trace();
        loop {
            match hold {
                Hold::Spin => hint::spin_loop(),
                Hold::Block | Hold::Pend => thread::sleep(Duration::from_secs(3600)),
            }
        }
    }

    /// Says that the call runs, here and since now. What is returned says so until it is dropped.
    fn leave_trace(&self) -> File {
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true);
        let file = file.open(self.notes.file(&trace_name(self.n)));
        let file = file.expect("a folder that may be written to");
        if file.try_lock().is_err() {
            self.notes.note(TWICE, self.n);
        }
        let pid = u64::from(process::id());
        let trace = [pid.to_le_bytes(), micros_now().to_le_bytes()].concat();
        file.write_all_at(&trace, 0)
            .expect("room for a few bytes on the disk");
        file
    }
}

/// Where and when a call began that never ends by itself; the last time that it did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trace {
    pub(super) pid: u32,
    began_micros: u64,
}

impl Trace {
    /// None of a call that was not begun.
    pub(super) fn of(notes: &Folder, n: u64) -> Option<Self> {
        let file = File::open(notes.file(&trace_name(n))).ok()?;
        let mut trace = [0; TRACE_BYTES];
        file.read_exact_at(&mut trace, 0).ok()?;
        let [pid, began_micros] = [0, 8].map(|at| {
            let mut number = [0; 8];
            number.copy_from_slice(&trace[at..at + 8]);
            u64::from_le_bytes(number)
        });
        let pid = u32::try_from(pid).ok()?;
        Some(Self { pid, began_micros })
    }

    /// How long ago that was.
    pub(super) fn age(self) -> Duration {
        Duration::from_micros(micros_now().saturating_sub(self.began_micros))
    }

    /// Whether a call is running that never ends by itself.
    pub(super) fn is_running(notes: &Folder, n: u64) -> io::Result<bool> {
        let file = match File::open(notes.file(&trace_name(n))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn trace_name(n: u64) -> String {
    format!("call {n}")
}

/// The processes that were called.
pub(super) fn at_work(notes: &Folder) -> Vec<u32> {
    let noted = notes.noted(AT_WORK).into_iter();
    noted.filter_map(|pid| pid.try_into().ok()).collect()
}

/// How many calls began while they were still running elsewhere.
pub(super) fn begun_twice(notes: &Folder) -> u64 {
    notes.noted(TWICE).len() as u64
}

/// By the clock that all processes of a machine share.
fn micros_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_tells_who_runs_a_call_and_until_when() {
        let notes = Folder::temp();
        let order = Order {
            n: 7,
            deed: Deed::Hold(Hold::Pend),
            notes: notes.clone(),
        };
        assert!(Trace::of(&notes, 7).is_none());
        assert!(!Trace::is_running(&notes, 7).unwrap());
        let running = order.leave_trace();
        assert!(Trace::is_running(&notes, 7).unwrap());
        assert_eq!(begun_twice(&notes), 0);
        drop(order.leave_trace());
        assert_eq!(begun_twice(&notes), 1);
        drop(running);
        assert!(!Trace::is_running(&notes, 7).unwrap());
        assert_eq!(Trace::of(&notes, 7).unwrap().pid, process::id());
    }
}
