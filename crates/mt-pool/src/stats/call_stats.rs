//! What a pool's calls have come to, for a scrape.

use mt_proto::Deadline;

use super::Histogram;
use crate::error::TaskErrorKind;

/// The calls of a pool: see [`Pool::stats`](crate::Pool::stats). Counts only grow, and gauges are of about the same moment;
/// at rest, [`made`](Self::made) is the [total](CallOutcomes::total) of [`ended`](Self::ended).
///
/// An outcome is counted before it is told: whoever has it finds it here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CallStats {
    /// Calls that were made, those that were refused or found no room included.
    pub made: u64,
    /// The calls that have ended, by what they came to.
    pub ended: CallOutcomes,
    /// Gauge: the calls that wait for a place, because there are as many as [may be](crate::PoolBuilder::calls).
    pub waiting: usize,
    /// Gauge: the calls that have a place and wait for a worker.
    pub queued: usize,
    /// Gauge: the calls that workers have: those that run, and quick ones that were sent ahead.
    pub in_workers: usize,
    /// How long calls took, from when they were made until their outcomes: with the time in which they waited for a place
    /// and for a worker, and with all tries. Of all that have ended, the cancelled ones too, but for those that were
    /// refused at once: without the ones whose callers had waited for long enough, it would show a pool that is too slow
    /// as a quick one.
    pub latency: Histogram,
    /// How much of it calls were in the queue, from when they had a place until the worker had them that they ended in,
    /// earlier tries and pauses included. Of those that have ended in a worker.
    pub queue_time: Histogram,
    /// How long that worker had them, waiting there behind others included, until their outcomes were here. Of the same
    /// calls.
    pub worker_time: Histogram,
}

/// What a call has come to: that it has a value, or which [`TaskErrorKind`] it has ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// A value, as the worker told. One that does not decode where the call was made is counted as a value here.
    Value,
    /// [`TaskErrorKind::Raised`].
    Raised,
    /// [`TaskErrorKind::Panicked`].
    Panicked,
    /// [`TaskErrorKind::Crashed`].
    Crashed,
    /// [`TaskErrorKind::OutcomeLost`].
    OutcomeLost,
    /// [`TaskErrorKind::Unserialisable`].
    Unserialisable,
    /// [`TaskErrorKind::Undecodable`], as the worker told.
    Undecodable,
    /// [`TaskErrorKind::TooLarge`].
    TooLarge,
    /// [`TaskErrorKind::Context`].
    Context,
    /// [`TaskErrorKind::TimedOut`] with [`Deadline::Queue`]: it was never begun.
    QueueTimedOut,
    /// [`TaskErrorKind::TimedOut`] with another deadline: it ran for too long.
    TimedOut,
    /// [`TaskErrorKind::MemoryExceeded`].
    MemoryExceeded,
    /// [`TaskErrorKind::Cancelled`], whether by its caller, who may have just dropped it, or with the pool.
    Cancelled,
    /// [`TaskErrorKind::NotStarted`].
    NotStarted,
    /// [`TaskErrorKind::Pool`]: no worker could be had.
    NoWorker,
    /// [`Full`](crate::calls::Full): there was no room, and the input was given back.
    Full,
}

impl CallOutcome {
    /// All there are.
    pub const ALL: [Self; 16] = [
        Self::Value,
        Self::Raised,
        Self::Panicked,
        Self::Crashed,
        Self::OutcomeLost,
        Self::Unserialisable,
        Self::Undecodable,
        Self::TooLarge,
        Self::Context,
        Self::QueueTimedOut,
        Self::TimedOut,
        Self::MemoryExceeded,
        Self::Cancelled,
        Self::NotStarted,
        Self::NoWorker,
        Self::Full,
    ];

    /// The outcome's name, such as `queue_timed_out`: for the label of a metric.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Raised => "raised",
            Self::Panicked => "panicked",
            Self::Crashed => "crashed",
            Self::OutcomeLost => "outcome_lost",
            Self::Unserialisable => "unserialisable",
            Self::Undecodable => "undecodable",
            Self::TooLarge => "too_large",
            Self::Context => "context",
            Self::QueueTimedOut => "queue_timed_out",
            Self::TimedOut => "timed_out",
            Self::MemoryExceeded => "memory_exceeded",
            Self::Cancelled => "cancelled",
            Self::NotStarted => "not_started",
            Self::NoWorker => "no_worker",
            Self::Full => "full",
        }
    }

    /// What an error of a call counts as.
    pub(crate) fn of<E>(kind: &TaskErrorKind<E>) -> Self {
        match kind {
            TaskErrorKind::Raised(_) => Self::Raised,
            TaskErrorKind::Panicked { .. } => Self::Panicked,
            TaskErrorKind::Crashed { .. } => Self::Crashed,
            TaskErrorKind::OutcomeLost { .. } => Self::OutcomeLost,
            TaskErrorKind::Unserialisable(_) => Self::Unserialisable,
            TaskErrorKind::Undecodable(_) => Self::Undecodable,
            TaskErrorKind::TooLarge { .. } => Self::TooLarge,
            TaskErrorKind::Context { .. } => Self::Context,
            TaskErrorKind::TimedOut {
                deadline: Deadline::Queue,
                ..
            } => Self::QueueTimedOut,
            TaskErrorKind::TimedOut { .. } => Self::TimedOut,
            TaskErrorKind::MemoryExceeded { .. } => Self::MemoryExceeded,
            TaskErrorKind::NotStarted(_) => Self::NotStarted,
            TaskErrorKind::Pool(_) => Self::NoWorker,
            // The others are of runs, whose inputs end and whose consumers lose patience.
            TaskErrorKind::Cancelled
            | TaskErrorKind::Silent { .. }
            | TaskErrorKind::InputPanicked(_)
            | TaskErrorKind::InputBlocked => Self::Cancelled,
        }
    }
}

/// How many calls have come to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallOutcomes([u64; CallOutcome::ALL.len()]);

impl CallOutcomes {
    pub(crate) fn new(count: impl Fn(CallOutcome) -> u64) -> Self {
        Self(CallOutcome::ALL.map(count))
    }

    /// How many calls have come to this.
    #[must_use]
    pub fn count(&self, outcome: CallOutcome) -> u64 {
        self.0[outcome as usize]
    }

    /// How many have ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each with its count, those that have none too.
    pub fn iter(&self) -> impl Iterator<Item = (CallOutcome, u64)> {
        CallOutcome::ALL.into_iter().zip(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_in_their_places() {
        for (place, outcome) in CallOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
        }
        let counts = CallOutcomes::new(|outcome| u64::from(outcome == CallOutcome::Full));
        assert_eq!((counts.count(CallOutcome::Full), counts.total()), (1, 1));
        assert_eq!(counts.iter().last(), Some((CallOutcome::Full, 1)));
    }
}
