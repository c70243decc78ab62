//! Items that have failed: tried again, or told of by themselves.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Instant;

use mt_proto::{
    Attachments, Failure, ItemIndex, RecordTag, Records, Segment, WorkerId, decode_strict,
};
use rand::RngExt as _;

use super::{Delivery, Dispatch, Lost, attempt_history::RetryItem, machine::RunMode};

/// A failed item among results, and what becomes of it.
pub(super) struct Failed {
    item: RetryItem,
    sequel: Sequel,
}

impl Failed {
    /// Whether the worker has not begun it.
    pub(super) fn comes_back(&self) -> bool {
        matches!(self.sequel, Sequel::Back | Sequel::Unbegun)
    }
}

/// What a failure asks for.
#[derive(Clone, Copy)]
enum Wanted {
    No,
    Again,
    Elsewhere,
}

fn is_cancelled(failure: &[u8]) -> bool {
    // a value of ours, whose decoding calls none of the user's code; guarded: by that.
    decode_strict::<Failure>(failure).is_ok_and(|failure| failure == Failure::Cancelled)
}

/// What follows an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sequel {
    /// Another try.
    Again,
    /// Another worker: this one was asked for it, and has not begun it.
    Back,
    /// Nothing: there would be another try, but nothing is given out any more.
    Cancelled,
    /// Nothing: there would be another worker, but nothing is given out any more.
    Unbegun,
    /// Nothing: the error is the item's outcome.
    Told,
}

impl Dispatch {
    /// The items among these results that are told of by themselves: those that have failed, as far as they
    /// are to be tried again, were tried before, or are to be given back. Once nothing is given out any more,
    /// one that would be tried again is cancelled: its error is not final.
    pub(super) fn set_apart(&mut self, worker: WorkerId, run: &Segment) -> Vec<Failed> {
        let (retry, keep) = (&self.config.retries, self.config.keep_items);
        let calls = &self.queue.calls;
        let running = matches!(self.mode, RunMode::Running);
        let Some(slot) = self.workers.get_mut(&worker) else {
            return Vec::new();
        };
        if retry.limit == 0 && !keep && !slot.alone && !calls.may_retry() {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut records = Records::new(run.records.clone());
        for index in (run.first.0..run.end().0).map(ItemIndex) {
            let own = calls.terms(index).map(|terms| &terms.retries);
            let retry = own.unwrap_or(retry);
            let failed = records.next_with(|tag, value| {
                let raised = tag == RecordTag::Raised && retry.limit > 0;
                let failed = tag != RecordTag::Value;
                failed.then(
                    || match tag == RecordTag::Failure && calls.is_taken_back(index) {
                        true if is_cancelled(value) => Wanted::Elsewhere,
                        _ if raised && retry.wants(value, &run.attachments) => Wanted::Again,
                        _ => Wanted::No,
                    },
                )
            });
            let Ok(Some(Some(wanted))) = failed else {
                continue;
            };
            let Some(item) = slot.item(index) else {
                continue;
            };
            let goes_on = running && !calls.is_withdrawn(index);
            let sequel = match wanted {
                Wanted::Elsewhere if goes_on => Sequel::Back,
                Wanted::Elsewhere => Sequel::Unbegun,
                Wanted::Again if item.past.errors >= retry.limit => Sequel::Told,
                Wanted::Again if goes_on => Sequel::Again,
                Wanted::Again => Sequel::Cancelled,
                Wanted::No => Sequel::Told,
            };
            if sequel != Sequel::Told || keep || item.past.attempts() > 0 {
                found.push(Failed { item, sequel });
            }
        }
        found
    }

    /// Gives out results but for those set apart, which follow each in its place, or wait for their next try.
    pub(super) fn deliver_but(&mut self, now: Instant, run: Segment, apart: Vec<Failed>) {
        let mut records = Records::new(run.records);
        let attachments = run.attachments;
        let mut first = run.first;
        let end = first.plus(u64::from(run.count));
        for Failed { item, sequel } in apart {
            self.deliver_part(first, item.index, &mut records, &attachments);
            let record = records.next_record().ok().flatten();
            first = item.index.plus(1);
            match sequel {
                Sequel::Again => self.retry(now, item),
                Sequel::Back => self.queue.calls.come_back(&item, now),
                Sequel::Cancelled => self.deliver(item.stopped(Lost::Cancelled)),
                Sequel::Unbegun => self.deliver(item.lost(Lost::Cancelled)),
                Sequel::Told => {
                    let record = record.expect("results were counted when they came in");
                    self.deliver(item.told(record.with_attachments(&attachments)));
                }
            }
        }
        self.deliver_part(first, end, &mut records, &attachments);
    }

    fn deliver_part(
        &mut self,
        first: ItemIndex,
        end: ItemIndex,
        records: &mut Records,
        attachments: &Attachments,
    ) {
        let count = (end.0 - first.0) as u32;
        if count == 0 {
            return;
        }
        let records = records.split_front(count);
        self.deliver(Delivery::results(Segment {
            first,
            count,
            records: records.expect("results were counted when they came in"),
            attachments: attachments.clone(),
        }));
    }

    /// Half to all of a pause that doubles with every try: what failed together does not come back
    /// together ("equal jitter": Brooker, "Exponential backoff and jitter", AWS, 2015).
    fn retry(&mut self, now: Instant, mut item: RetryItem) {
        let own = self
            .queue
            .calls
            .terms(item.index)
            .map(|terms| &terms.retries);
        let retry = own.unwrap_or(&self.config.retries);
        let doubled = 1_u32.checked_shl(item.past.errors).unwrap_or(u32::MAX);
        let pause = retry.first_pause.saturating_mul(doubled);
        let pause = pause.min(retry.longest_pause);
        let half = pause / 2;
        let pause = half + half.mul_f64(self.chance.random::<f64>());
        item.past.errors += 1;
        self.retries += 1;
        self.queue.later(now + pause, item);
    }
}
