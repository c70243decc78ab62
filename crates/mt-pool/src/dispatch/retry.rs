//! Errors that are tried again.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use mt_proto::{ItemIndex, RecordTag, Records, Segment, WorkerId};

use super::{Delivery, Dispatch, attempt_history::RetryItem, machine::Mode};

impl Dispatch {
    /// The items among these results that raised an error and are to be tried again: none once nothing is
    /// given out any more.
    pub(super) fn worth_retrying(&mut self, worker: WorkerId, run: &Segment) -> Vec<RetryItem> {
        let retry = &self.config.retry;
        let wanted = retry.limit > 0 && matches!(self.mode, Mode::Running);
        let Some(slot) = self.workers.get_mut(&worker).filter(|_| wanted) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut records = Records::new(run.records.clone());
        for index in (run.first.0..run.end().0).map(ItemIndex) {
            let raised = records.next_with(|tag, value| {
                let wanted = |wants: &super::config::RetryIf| (wants.0)(value);
                tag == RecordTag::Raised && retry.wants.as_ref().is_none_or(wanted)
            });
            let item = match raised {
                Ok(Some(true)) => slot.item(index),
                _ => None,
            };
            found.extend(item.filter(|item| item.past.errors < retry.limit));
        }
        found
    }

    /// Gives out results but for those of `retried`, which wait for their next try.
    pub(super) fn deliver_but(&mut self, now: Instant, run: Segment, retried: Vec<RetryItem>) {
        let mut records = Records::new(run.records);
        let mut first = run.first;
        let end = first.plus(u64::from(run.count));
        for item in retried {
            self.deliver_part(first, item.index, &mut records);
            let _ = records.next_record();
            first = item.index.plus(1);
            self.retry(now, item);
        }
        self.deliver_part(first, end, &mut records);
    }

    fn deliver_part(&mut self, first: ItemIndex, end: ItemIndex, records: &mut Records) {
        let count = (end.0 - first.0) as u32;
        if count == 0 {
            return;
        }
        let records = records
            .split_front(count)
            .expect("results were counted when they came in");
        self.deliver(Delivery::Results(Segment {
            first,
            count,
            records,
        }));
    }

    /// Half to all of a pause that doubles with every try: what failed together does not come back
    /// together ("equal jitter": Brooker, "Exponential backoff and jitter", AWS, 2015).
    fn retry(&mut self, now: Instant, mut item: RetryItem) {
        let retry = &self.config.retry;
        let doubled = 1_u32.checked_shl(item.past.errors).unwrap_or(u32::MAX);
        let pause = retry.first_pause.saturating_mul(doubled);
        let pause = pause.min(retry.longest_pause);
        let half = pause / 2;
        let pause = half + half.mul_f64(self.dice.unit());
        item.past.errors += 1;
        self.retries += 1;
        self.queue.later(now + pause.max(Duration::ZERO), item);
    }
}
