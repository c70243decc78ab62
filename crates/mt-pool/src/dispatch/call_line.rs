//! The calls of a pool: what holds for each, and those that wait for a worker.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Items of runs are alike and wait in pieces; calls have each their own deadlines, urgency and caller, and wait one by
//! one. All that is kept for them is here, so that runs pay nothing for it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use mt_proto::{ItemIndex, PreparedId, Segment};
use rustc_hash::FxBuildHasher;

use super::{
    attempt_history::{AttemptHistory, RetryItem},
    call_times::EndedCalls,
    piece::{JOIN_BYTES, JOIN_ITEMS, Piece, Waiting, items_of},
    prepared::Prepared,
};
use crate::{
    fair_line::{FairLine, LinePlace, Rank},
    limits::Retries,
};

/// How long a call that nobody waits for any more may keep its worker's thread before the worker is killed for it: longer
/// than most calls take, because a new worker costs some milliseconds.
const WITHDRAWN_GRACE: Duration = Duration::from_millis(100);

/// What holds for one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms {
    /// How long it may wait to be started.
    pub(crate) queue: Option<Duration>,
    /// How long it may run.
    pub(crate) hard: Option<Duration>,
    /// Whether it shares its worker's thread with others, as a call of an `async fn` does.
    pub(crate) shares: bool,
    pub(crate) rank: Rank,
    /// Which of its errors are tried again.
    pub(crate) retries: Retries,
    /// What it is a call of, if that is no task alone.
    pub(crate) prepared: Option<Arc<Prepared>>,
}

#[derive(Debug, Default)]
pub(crate) struct CallLine {
    /// All that have no outcome yet.
    known: HashMap<ItemIndex, Known, FxBuildHasher>,
    /// The calls that need a worker's thread for themselves.
    plain: FairLine<WaitingCall>,
    /// The calls that share one.
    shared: FairLine<WaitingCall>,
    /// The untouched ones that may wait only so long, in the order of these times.
    dues: BTreeSet<(Instant, ItemIndex)>,
    /// The calls that may run only so long, or that nobody waits for any more.
    watched: BTreeSet<ItemIndex>,
    /// How many of them have errors that are tried again.
    retrying: usize,
    /// How many were asked back from a worker.
    taken_back: usize,
    /// How long those took that have ended in a worker.
    pub(super) ended: EndedCalls,
}

#[derive(Debug)]
struct Known {
    terms: Terms,
    came: Instant,
    /// When the worker was given it that has it, if one has.
    given: Option<Instant>,
    place: Option<LinePlace>,
    /// When it has waited for too long.
    due: Option<Instant>,
    /// Since when nobody waits for it any more.
    withdrawn: Option<Instant>,
    /// Whether its worker was asked to give it back, unless it has begun it.
    taken_back: bool,
}

/// A call that waits.
#[derive(Debug)]
struct WaitingCall {
    run: Segment,
    arrival: Arrival,
}

#[derive(Debug, Clone, Copy)]
enum Arrival {
    /// Untouched, and waits since then.
    New(Instant),
    /// A worker has had it, and has begun it.
    Back(AttemptHistory),
}

impl Known {
    /// Whether it goes with others that are of the same and may wait for ever.
    fn joins(&self, prepared: Option<PreparedId>) -> bool {
        self.due.is_none() && self.terms.prepared_id() == prepared
    }
}

impl Terms {
    fn prepared_id(&self) -> Option<PreparedId> {
        self.prepared.as_ref().map(|prepared| prepared.id)
    }
}

impl WaitingCall {
    fn into_item(self) -> RetryItem {
        let past = match self.arrival {
            Arrival::New(_) => AttemptHistory::default(),
            Arrival::Back(past) => past,
        };
        let mut items = items_of(self.run);
        let item = items
            .next()
            .expect("a piece was counted when it came in, and is not empty");
        RetryItem { past, ..item }
    }
}

/// What is given out next.
#[derive(Debug)]
pub(crate) enum NextCalls {
    Untouched(Piece),
    /// One that comes back.
    Again(RetryItem),
}

/// How long a call may run from now on, if that is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallLimit {
    pub(crate) hard: Option<Duration>,
    pub(crate) withdrawn: Option<Instant>,
}

impl CallLimit {
    /// Whether nobody has waited for the call for so long that its worker is ended for it.
    pub(crate) fn is_given_up(self, now: Instant) -> bool {
        self.withdrawn
            .is_some_and(|since| since + WITHDRAWN_GRACE <= now)
    }
}

impl CallLine {
    /// Takes a call in.
    pub(crate) fn join(&mut self, now: Instant, run: Segment, terms: Terms) {
        let index = run.first;
        let due = terms.queue.map(|limit| now + limit);
        self.dues.extend(due.map(|due| (due, index)));
        if terms.hard.is_some() {
            self.watched.insert(index);
        }
        self.retrying += usize::from(terms.retries.limit > 0);
        let waiting = WaitingCall {
            run,
            arrival: Arrival::New(now),
        };
        let rank = terms.rank;
        let place = self.line(terms.shares).join(rank, index.0, waiting);
        let known = Known {
            terms,
            came: now,
            given: None,
            place: Some(place),
            due,
            withdrawn: None,
            taken_back: false,
        };
        self.known.insert(index, known);
    }

    /// Puts an untouched call back, before all others.
    pub(crate) fn put_back(&mut self, item: &RetryItem, since: Instant) {
        let due = self.known.get(&item.index).and_then(|known| known.due);
        self.dues.extend(due.map(|due| (due, item.index)));
        self.rejoin(item, Arrival::New(since));
    }

    /// Puts a call back that was begun, before all others.
    pub(crate) fn again(&mut self, item: &RetryItem) {
        self.rejoin(item, Arrival::Back(item.past));
    }

    /// Puts a call back that its worker has not begun.
    pub(crate) fn come_back(&mut self, item: &RetryItem, now: Instant) {
        match item.past.attempts() {
            0 => self.put_back(item, now),
            _ => self.again(item),
        }
    }

    fn rejoin(&mut self, item: &RetryItem, arrival: Arrival) {
        let Some(known) = self.known.get_mut(&item.index) else {
            return;
        };
        self.taken_back -= usize::from(std::mem::take(&mut known.taken_back));
        known.given = None;
        let run = item.to_run();
        let waiting = WaitingCall { run, arrival };
        let line = match known.terms.shares {
            true => &mut self.shared,
            false => &mut self.plain,
        };
        known.place = Some(line.rejoin(known.terms.rank, item.index.0, waiting));
    }

    /// Takes out a call that waits.
    pub(crate) fn leave(&mut self, index: ItemIndex) -> Option<RetryItem> {
        let known = self.known.get_mut(&index)?;
        let place = known.place.take()?;
        let (due, shares) = (known.due, known.terms.shares);
        if let Some(due) = due {
            self.dues.remove(&(due, index));
        }
        let waiting = self.line(shares).leave(place)?;
        Some(waiting.into_item())
    }

    /// Takes out those that have waited for longer than each may, with how long that is.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(RetryItem, Duration)> {
        let mut expired = Vec::new();
        while let Some(&(due, index)) = self.dues.first()
            && due <= now
        {
            let limit = self.terms(index).and_then(|terms| terms.queue);
            let item = self.leave(index);
            let item = item.expect("what may wait only so long waits");
            expired.push((item, limit.unwrap_or_default()));
        }
        expired
    }

    /// Takes out whichever is next of its kind, and up to `most` in all that came just behind it.
    pub(crate) fn pop(&mut self, now: Instant, shares: bool, most: u32) -> Option<NextCalls> {
        let first = self.line(shares).pop()?;
        let due = self.taken(first.run.first, now);
        let since = match first.arrival {
            Arrival::New(since) => since,
            Arrival::Back(_) => return Some(NextCalls::Again(first.into_item())),
        };
        let mut run = first.run;
        let prepared = self.terms(run.first).and_then(Terms::prepared_id);
        let mut joined = BytesMut::new();
        let joins = |run: &Segment, next: &WaitingCall| {
            matches!(next.arrival, Arrival::New(_))
                && next.run.first == run.end()
                && next.run.attachments.is_empty()
                && run.attachments.is_empty()
        };
        while due.is_none()
            && run.count < most.min(JOIN_ITEMS)
            && run.records.len() + joined.len() < JOIN_BYTES
            && let Some(next) = self.line(shares).first()
            && joins(&run, next)
            && self
                .known
                .get(&run.end())
                .is_none_or(|next| next.joins(prepared))
            && let Some(next) = self.line(shares).pop()
        {
            self.taken(next.run.first, now);
            if joined.is_empty() {
                joined.extend_from_slice(&run.records);
                run.records.clear();
            }
            joined.extend_from_slice(&next.run.records);
            run.count += 1;
        }
        if !joined.is_empty() {
            run.records = joined.freeze();
        }
        Some(NextCalls::Untouched(Piece {
            waiting: Waiting { run, since },
            due,
            shares,
        }))
    }

    /// A call is no longer in the line, but given to a worker. Returns when it would have waited for too long.
    fn taken(&mut self, index: ItemIndex, now: Instant) -> Option<Instant> {
        let known = self.known.get_mut(&index)?;
        known.place = None;
        known.given = Some(now);
        if let Some(due) = known.due {
            self.dues.remove(&(due, index));
        }
        known.due
    }

    fn line(&mut self, shares: bool) -> &mut FairLine<WaitingCall> {
        match shares {
            true => &mut self.shared,
            false => &mut self.plain,
        }
    }

    /// Calls have their outcomes.
    pub(crate) fn forget(&mut self, indices: impl Iterator<Item = ItemIndex>) {
        for index in indices {
            let Some(known) = self.known.remove(&index) else {
                continue;
            };
            self.retrying -= usize::from(known.terms.retries.limit > 0);
            self.taken_back -= usize::from(known.taken_back);
            if let Some(given) = known.given {
                self.ended.push(known.came, given);
            }
            if known.terms.hard.is_some() || known.withdrawn.is_some() {
                self.watched.remove(&index);
            }
        }
    }

    /// A call is given to a worker, or taken from one, beside the line.
    pub(crate) fn set_given(&mut self, index: ItemIndex, given: Option<Instant>) {
        if let Some(known) = self.known.get_mut(&index) {
            known.given = given;
        }
    }

    /// Nobody waits for a call any more that is not in the line.
    pub(crate) fn withdraw(&mut self, index: ItemIndex, now: Instant) {
        if let Some(known) = self.known.get_mut(&index) {
            known.withdrawn.get_or_insert(now);
            self.watched.insert(index);
        }
    }

    /// The worker of a call is asked to give it back.
    pub(crate) fn take_back(&mut self, index: ItemIndex) {
        if let Some(known) = self.known.get_mut(&index) {
            self.taken_back += usize::from(!std::mem::replace(&mut known.taken_back, true));
        }
    }

    /// Whether the worker of a call was asked to give it back.
    pub(crate) fn is_taken_back(&self, index: ItemIndex) -> bool {
        let known = self.known.get(&index);
        known.is_some_and(|known| known.taken_back)
    }

    /// The calls whose running has to be watched.
    pub(crate) fn limits(&self) -> impl Iterator<Item = (ItemIndex, CallLimit)> {
        self.watched.iter().filter_map(|index| {
            let known = self.known.get(index)?;
            let limit = CallLimit {
                hard: known.terms.hard,
                withdrawn: known.withdrawn,
            };
            Some((*index, limit))
        })
    }

    /// The calls that nobody waits for any more.
    pub(crate) fn withdrawn(&self) -> Vec<ItemIndex> {
        let limits = self.limits();
        let withdrawn = limits.filter(|(_, limit)| limit.withdrawn.is_some());
        withdrawn.map(|(index, _)| index).collect()
    }

    pub(crate) fn is_withdrawn(&self, index: ItemIndex) -> bool {
        let known = self.known.get(&index);
        known.is_some_and(|known| known.withdrawn.is_some())
    }

    pub(crate) fn terms(&self, index: ItemIndex) -> Option<&Terms> {
        self.known.get(&index).map(|known| &known.terms)
    }

    /// Whether any has an outcome that is not always its last.
    pub(crate) fn may_retry(&self) -> bool {
        self.retrying + self.taken_back > 0
    }

    /// Whether there are none at all.
    pub(crate) fn has_none(&self) -> bool {
        self.known.is_empty()
    }

    pub(crate) fn waiting(&self, shares: bool) -> usize {
        match shares {
            true => self.shared.len(),
            false => self.plain.len(),
        }
    }

    /// All that wait.
    pub(crate) fn len(&self) -> usize {
        self.plain.len() + self.shared.len()
    }

    pub(crate) fn wakeup(&self) -> Option<Instant> {
        self.dues.first().map(|(due, _)| *due)
    }

    /// Takes out all that wait.
    pub(crate) fn drain(&mut self) -> Vec<RetryItem> {
        self.dues.clear();
        for known in self.known.values_mut() {
            known.place = None;
        }
        let (plain, shared) = (self.plain.drain(), self.shared.drain());
        plain.chain(shared).map(WaitingCall::into_item).collect()
    }
}
