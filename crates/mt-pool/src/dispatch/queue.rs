//! What waits for a worker: items nobody has touched, items that come back, and suspects.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use mt_proto::{Attachments, ItemIndex, Records, Segment};

use super::{
    attempt_history::RetryItem,
    call_line::CallLine,
    piece::{JOIN_BYTES, JOIN_ITEMS, Waiting, items_of},
};

#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// How long an untouched item may wait.
    patience: Option<Duration>,
    runs: VecDeque<Waiting>,
    /// The calls, of which a pool's own run has nothing else.
    pub(super) calls: CallLine,
    items: u64,
    bytes: usize,
    /// To be run alone.
    suspects: VecDeque<RetryItem>,
    /// To be run like any other.
    again: VecDeque<RetryItem>,
    /// To be run from some time on.
    later: BTreeMap<(Instant, ItemIndex), RetryItem>,
}

/// Where an item waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitsAs {
    Suspect,
    Again,
    Untouched,
}

impl Queue {
    pub(crate) fn new(patience: Option<Duration>) -> Self {
        Self {
            patience,
            ..Self::default()
        }
    }

    /// Items that wait to be given out in company.
    pub(crate) fn items(&self) -> u64 {
        self.items + (self.again.len() + self.calls.len()) as u64
    }

    /// Whether there are items, other than calls, that nobody has touched.
    pub(crate) fn has_untouched(&self) -> bool {
        !self.runs.is_empty()
    }

    pub(crate) fn suspects(&self) -> usize {
        self.suspects.len()
    }

    /// The bytes of the items that wait, suspects not counted.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items() == 0 && self.suspects.is_empty() && self.later.is_empty()
    }

    pub(crate) fn push(&mut self, run: Segment, since: Instant) {
        let waiting = Waiting { run, since };
        self.count_in(&waiting);
        self.runs.push_back(waiting);
    }

    /// Puts back items that a dead worker had not started, before all others: they are the oldest.
    pub(crate) fn put_back(&mut self, waiting: Vec<Waiting>) {
        for waiting in waiting.into_iter().rev() {
            if self.calls.terms(waiting.run.first).is_some() {
                let since = waiting.since;
                items_of(waiting.run).for_each(|call| self.calls.put_back(&call, since));
                continue;
            }
            self.count_in(&waiting);
            self.runs.push_front(waiting);
        }
    }

    /// The next suspect, and whether it needs a worker that has run nothing.
    pub(crate) fn next_suspect(&self) -> Option<bool> {
        self.suspects.front().map(|suspect| suspect.past.fresh)
    }

    pub(crate) fn pop_suspect(&mut self) -> Option<RetryItem> {
        self.suspects.pop_front()
    }

    /// Adds an item to be run once more: alone, if its past says so.
    pub(crate) fn again(&mut self, item: RetryItem) {
        if item.past.runs_alone() {
            self.calls.set_given(item.index, None);
            self.suspects.push_back(item);
        } else if self.calls.terms(item.index).is_some() {
            self.calls.again(&item);
        } else {
            self.again.push_back(item);
        }
    }

    pub(crate) fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    pub(crate) fn pop_again(&mut self) -> Option<RetryItem> {
        self.again.pop_front()
    }

    /// Adds an item to be run once more, from `due` on.
    pub(crate) fn later(&mut self, due: Instant, item: RetryItem) {
        self.calls.set_given(item.index, None);
        self.later.insert((due, item.index), item);
    }

    /// Lets those go on whose time has come.
    pub(crate) fn wake(&mut self, now: Instant) {
        while let Some(entry) = self.later.first_entry()
            && entry.key().0 <= now
        {
            let item = entry.remove();
            self.again(item);
        }
    }

    /// Brings the item that is first of all that have no outcome before all others of its kind. `None` if it does not wait
    /// here, or waits for its time.
    pub(crate) fn bring_forward(&mut self, first: ItemIndex) -> Option<WaitsAs> {
        let is_first = |item: &RetryItem| item.index == first;
        if let Some(at) = self.suspects.iter().position(is_first) {
            to_front(&mut self.suspects, at);
            return Some(WaitsAs::Suspect);
        }
        if let Some(at) = self.again.iter().position(is_first) {
            to_front(&mut self.again, at);
            return Some(WaitsAs::Again);
        }
        let at = self
            .runs
            .iter()
            .position(|waiting| waiting.run.first == first)?;
        to_front(&mut self.runs, at);
        Some(WaitsAs::Untouched)
    }

    /// Takes out a call that waits.
    pub(crate) fn withdraw(&mut self, index: ItemIndex) -> Option<RetryItem> {
        if let Some(call) = self.calls.leave(index) {
            return Some(call);
        }
        if let Some(at) = self.suspects.iter().position(|item| item.index == index) {
            return self.suspects.remove(at);
        }
        let later = self.later.keys().find(|(_, waits)| *waits == index);
        let key = later.copied()?;
        self.later.remove(&key)
    }

    /// Takes out the untouched items that have waited for too long.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Segment> {
        let mut expired = Vec::new();
        while let Some(deadline) = self.deadline()
            && deadline <= now
            && let Some(waiting) = self.runs.pop_front()
        {
            self.count_out(&waiting);
            expired.push(waiting.run);
        }
        expired
    }

    pub(crate) fn wakeup(&self) -> Option<Instant> {
        let due = self.later.first_key_value().map(|((due, _), _)| *due);
        let own = self.calls.wakeup();
        due.into_iter().chain(own).chain(self.deadline()).min()
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.runs.front()?.since + self.patience?)
    }

    /// Takes up to `most` consecutive untouched items from the front. Items that came in small change
    /// go out together.
    pub(crate) fn pop(&mut self, most: u32) -> Option<Waiting> {
        let mut waiting = self.pop_run(most)?;
        let (run, since) = (&mut waiting.run, waiting.since);
        let mut joined = BytesMut::new();
        while run.count < JOIN_ITEMS
            && run.records.len() + joined.len() < JOIN_BYTES
            && run.attachments.is_empty()
        {
            let fits = |next: &mut Waiting| {
                next.run.first == run.end()
                    && next.run.attachments.is_empty()
                    && next.run.count <= most.saturating_sub(run.count)
                    && (self.patience.is_none() || next.since == since)
            };
            let Some(next) = self.runs.pop_front_if(fits) else {
                break;
            };
            self.items -= u64::from(next.run.count);
            self.bytes -= next.run.records.len();
            if joined.is_empty() {
                joined.extend_from_slice(&std::mem::take(&mut run.records));
            }
            joined.extend_from_slice(&next.run.records);
            run.count += next.run.count;
        }
        if !joined.is_empty() {
            run.records = joined.freeze();
        }
        Some(waiting)
    }

    /// Takes up to `most` items of the run at the front.
    fn pop_run(&mut self, most: u32) -> Option<Waiting> {
        let front = self.runs.front_mut()?;
        if front.run.count <= most {
            let waiting = self.runs.pop_front()?;
            self.count_out(&waiting);
            return Some(waiting);
        }
        let mut records = Records::new(std::mem::take(&mut front.run.records));
        let taken = records
            .split_front(most)
            .expect("a piece was counted when it came in");
        let run = Segment {
            first: front.run.first,
            count: most,
            records: taken,
            attachments: Attachments::NONE,
        };
        let since = front.since;
        front.run = Segment {
            first: run.end(),
            count: front.run.count - most,
            records: records.into_rest(),
            attachments: Attachments::NONE,
        };
        let waiting = Waiting { run, since };
        self.count_out(&waiting);
        Some(waiting)
    }

    fn count_in(&mut self, waiting: &Waiting) {
        self.items += u64::from(waiting.run.count);
        self.bytes += waiting.run.weight();
    }

    fn count_out(&mut self, waiting: &Waiting) {
        self.items -= u64::from(waiting.run.count);
        self.bytes -= waiting.run.weight();
    }

    /// Takes everything, as single items.
    pub(crate) fn drain(&mut self) -> Vec<RetryItem> {
        let later = std::mem::take(&mut self.later).into_values();
        let touched = self.suspects.drain(..).chain(self.again.drain(..));
        let mut all: Vec<_> = touched.chain(later).collect();
        for waiting in self.runs.drain(..) {
            all.extend(items_of(waiting.run));
        }
        all.extend(self.calls.drain());
        self.items = 0;
        self.bytes = 0;
        all
    }
}

fn to_front<T>(all: &mut VecDeque<T>, at: usize) {
    if let Some(one) = all.remove(at) {
        all.push_front(one);
    }
}
