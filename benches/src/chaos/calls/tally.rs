//! What became of every call, and whether those that never end by themselves were gone when that was said.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use mt_pool::{TaskError, TaskErrorKind, limits::Deadline, supervision::Deaths};
use mt_test_kit::{Folder, state_of};

use super::{
    super::{
        fault::{Fault, INSIDE},
        ledger::{End, Entry, Ledger, OK, is_explained},
    },
    CRASH_LIMIT,
    asked::{Asked, Fate},
    deed::{Deed, Hold, Trace, begun_twice},
};
use crate::tasks::mix;

/// How long a call may go on after its future was dropped, on a busy machine, until that is a fault.
const SETTLE: Duration = Duration::from_secs(10);
/// How many are kept of what should not be.
const MOST_SHOWN: usize = 100;

/// What has come of a call.
pub(super) enum Came {
    Outcome(Result<u64, TaskError<u64>>),
    /// Nobody waited any more.
    Dropped,
}

/// All calls so far.
#[derive(Default)]
pub(in crate::chaos) struct Tally {
    pub(in crate::chaos) ledger: Ledger,
    /// Calls that found no room and were made again.
    pub(in crate::chaos) shed: u64,
    /// Of those that never end and were cancelled: how many had not begun, or had.
    pub(in crate::chaos) cancelled_waiting: u64,
    pub(in crate::chaos) cancelled_running: u64,
    /// Of those that never end: how many were dropped.
    dropped: Vec<u64>,
    /// How much later than its deadline a call that never ends was gone.
    pub(in crate::chaos) late: Vec<Duration>,
    /// Calls that were running when their outcome was there.
    pub(in crate::chaos) still_running: u64,
    /// Calls whose process was there when it was to be gone with their outcome.
    pub(in crate::chaos) still_there: u64,
    /// Calls that were begun although they had waited for too long.
    pub(in crate::chaos) called_late: u64,
    /// Calls that went on although nobody waited for them.
    pub(in crate::chaos) went_on: u64,
    /// Calls that began while they were still running elsewhere.
    pub(in crate::chaos) begun_twice: u64,
    /// The places for calls that there were in the end, more or fewer than there should be.
    pub(in crate::chaos) places_off: u64,
    /// What the pool says that its workers died of.
    pub(in crate::chaos) deaths: Deaths,
    /// Some of what should not be.
    pub(in crate::chaos) shown: Vec<String>,
}

impl Tally {
    pub(super) fn new(calls: u64) -> Self {
        Self {
            ledger: Ledger::new(calls, false),
            ..Self::default()
        }
    }

    pub(super) fn enter(&mut self, asked: &Asked, came: Came, seen: Seen) {
        let shown = match &came {
            Came::Outcome(Ok(value)) => value.to_string(),
            Came::Outcome(Err(error)) => error.to_string(),
            Came::Dropped => "dropped".to_owned(),
        };
        let is_dropped = matches!(came, Came::Dropped);
        if is_dropped && matches!(asked.deed, Deed::Hold(_)) {
            self.dropped.push(asked.n);
        }
        let entry = judge(asked, came);
        let is_odd = !entry.is_explained || entry.is_wrong || entry.is_misnamed || seen.is_odd();
        if is_odd && self.shown.len() < MOST_SHOWN {
            self.shown.push(format!("{asked:?}: {shown}"));
        }
        self.ledger.add(entry);
        self.cancelled_waiting += u64::from(seen.is_cancelled && !seen.was_begun);
        self.cancelled_running += u64::from(seen.is_cancelled && seen.was_begun);
        self.still_running += u64::from(seen.still_running);
        self.still_there += u64::from(seen.still_there);
        self.called_late += u64::from(seen.called_late);
        self.late.extend(seen.late);
    }

    /// When all calls were made: waits until those that were dropped are gone, and counts those that are not.
    pub(super) fn settle(&mut self, notes: &Folder) -> io::Result<()> {
        self.begun_twice = begun_twice(notes);
        let until = Instant::now() + SETTLE;
        for n in std::mem::take(&mut self.dropped) {
            while Trace::is_running(notes, n)? {
                if Instant::now() > until {
                    self.went_on += 1;
                    break;
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }
}

/// What is seen of a call that never ends by itself, in the moment in which its outcome is there.
#[derive(Debug, Default)]
pub(super) struct Seen {
    is_cancelled: bool,
    was_begun: bool,
    still_running: bool,
    still_there: bool,
    called_late: bool,
    late: Option<Duration>,
}

impl Seen {
    pub(super) fn look(asked: &Asked, came: &Came, notes: &Folder) -> io::Result<Self> {
        let (Deed::Hold(hold), Came::Outcome(Err(error))) = (asked.deed, came) else {
            return Ok(Self::default());
        };
        let is_cancelled = error.is_cancelled();
        let Some(trace) = Trace::of(notes, asked.n) else {
            return Ok(Self {
                is_cancelled,
                ..Self::default()
            });
        };
        // A call that waits in async code is dropped where it waits, and its process goes on.
        let leaves_process = is_cancelled && hold == Hold::Pend;
        let still_there = !leaves_process && state_of(trace.pid).is_some();
        let (age, by) = (trace.age(), error.kind());
        let by = match by {
            TaskErrorKind::TimedOut { deadline, .. } => Some(*deadline),
            _ => None,
        };
        let late = asked.deadline.filter(|_| by == Some(Deadline::Hard));
        Ok(Self {
            is_cancelled,
            was_begun: true,
            still_running: Trace::is_running(notes, asked.n)?,
            still_there,
            // With one attempt more it was begun before it waited.
            called_late: by == Some(Deadline::Queue) && error.attempts() == 0,
            late: late.map(|limit| age.saturating_sub(limit)),
        })
    }

    fn is_odd(&self) -> bool {
        self.still_running || self.still_there || self.called_late
    }
}

/// Whether a call may have come to this.
fn judge(asked: &Asked, came: Came) -> Entry {
    let error = match came {
        Came::Outcome(Ok(value)) => {
            return Entry {
                is_wrong: value != mix(asked.n),
                is_explained: matches!(asked.deed, Deed::Return | Deed::Sleep { .. }),
                ..Entry::of(asked.n, OK)
            };
        }
        Came::Dropped => {
            return Entry {
                is_explained: matches!(asked.fate, Fate::Drops(_)),
                ..Entry::of(asked.n, "dropped")
            };
        }
        Came::Outcome(Err(error)) => error,
    };
    let is_explained_by_asked = match error.kind() {
        TaskErrorKind::Raised(_) => asked.deed == Deed::Refuse && error.attempts() > asked.retries,
        TaskErrorKind::Crashed { attempts, .. } => *attempts == CRASH_LIMIT,
        TaskErrorKind::MemoryExceeded { .. } => own_fault(asked) == Some(Fault::Memory),
        TaskErrorKind::TimedOut { deadline, limit } => {
            let asked = match deadline {
                Deadline::Hard => asked.deadline,
                Deadline::Queue => asked.queue_deadline,
                _ => None,
            };
            asked == Some(*limit)
        }
        TaskErrorKind::Cancelled => matches!(asked.fate, Fate::Cancels(_)),
        _ => false,
    };
    let is_wrong = matches!(error.kind(), TaskErrorKind::Raised(n) if *n != asked.n);
    let is_crash = matches!(error.kind(), TaskErrorKind::Crashed { .. });
    let end = End::from(error);
    let is_killed = is_crash && own_fault(asked).is_none();
    Entry {
        is_wrong,
        is_explained: is_explained_by_asked,
        is_misnamed: end
            .death
            .is_some_and(|death| !is_explained(asked.job(), &death)),
        ..Entry::of(asked.n, if is_killed { "killed" } else { end.name })
    }
}

fn own_fault(asked: &Asked) -> Option<Fault> {
    let fault = asked.job().fault?;
    Some(INSIDE[usize::from(fault)])
}
