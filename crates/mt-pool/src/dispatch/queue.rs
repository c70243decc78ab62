//! What waits for a worker: items nobody has touched, and suspects.
//!
//! Pure: no IO, no clock, no runtime.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use mt_proto::{ItemIndex, RecordBuffer, Records, Run};

/// Items that came in small change are joined up to this many items and bytes.
const JOIN_ITEMS: u32 = 1024;
const JOIN_BYTES: usize = 64 * 1024;

/// An item that was running when a worker died.
#[derive(Debug, Clone)]
pub(crate) struct Suspect {
    pub(crate) index: ItemIndex,
    /// How many workers have died while it ran.
    pub(crate) deaths: u32,
    /// The item, encoded.
    pub(crate) payload: Bytes,
}

impl Suspect {
    /// The item as a piece of one.
    pub(crate) fn to_run(&self) -> Run {
        let mut records = RecordBuffer::with_capacity(self.payload.len() + 4);
        records.push_raw(&self.payload);
        Run {
            first: self.index,
            count: 1,
            records: records.take(),
        }
    }
}

/// The waiting items.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    runs: VecDeque<Run>,
    items: u64,
    bytes: usize,
    suspects: VecDeque<Suspect>,
}

impl Queue {
    /// Items that wait, suspects not counted.
    pub(crate) fn items(&self) -> u64 {
        self.items
    }

    /// Suspects that wait.
    pub(crate) fn suspects(&self) -> usize {
        self.suspects.len()
    }

    /// The bytes of the items that wait, suspects not counted.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.items == 0 && self.suspects.is_empty()
    }

    /// Appends new items.
    pub(crate) fn push(&mut self, run: Run) {
        self.count_in(&run);
        self.runs.push_back(run);
    }

    /// Puts back items that a dead worker had not started, before all others: they are the oldest.
    pub(crate) fn put_back(&mut self, runs: Vec<Run>) {
        for run in runs.into_iter().rev() {
            self.count_in(&run);
            self.runs.push_front(run);
        }
    }

    /// Adds a suspect.
    pub(crate) fn suspect(&mut self, suspect: Suspect) {
        self.suspects.push_back(suspect);
    }

    /// The next suspect.
    pub(crate) fn pop_suspect(&mut self) -> Option<Suspect> {
        self.suspects.pop_front()
    }

    /// Takes up to `most` consecutive items from the front. Items that came in small change go out
    /// together.
    pub(crate) fn pop(&mut self, most: u32) -> Option<Run> {
        let mut run = self.pop_run(most)?;
        let mut joined = BytesMut::new();
        while run.count < JOIN_ITEMS && run.records.len() + joined.len() < JOIN_BYTES {
            let fits = |next: &Run| {
                next.first == run.end() && next.count <= most.saturating_sub(run.count)
            };
            if !self.runs.front().is_some_and(fits) {
                break;
            }
            let Some(next) = self.runs.pop_front() else {
                break;
            };
            self.count_out(&next);
            if joined.is_empty() {
                joined.extend_from_slice(&std::mem::take(&mut run.records));
            }
            joined.extend_from_slice(&next.records);
            run.count += next.count;
        }
        if !joined.is_empty() {
            run.records = joined.freeze();
        }
        Some(run)
    }

    /// Takes up to `most` items of the run at the front.
    fn pop_run(&mut self, most: u32) -> Option<Run> {
        let front = self.runs.front_mut()?;
        if front.count <= most {
            let run = self.runs.pop_front()?;
            self.count_out(&run);
            return Some(run);
        }
        let mut records = Records::new(std::mem::take(&mut front.records));
        let taken = records
            .split_front(most)
            .expect("a piece was counted when it came in");
        let run = Run {
            first: front.first,
            count: most,
            records: taken,
        };
        let (first, count) = (run.end(), front.count - most);
        *front = Run {
            first,
            count,
            records: records.into_rest(),
        };
        self.count_out(&run);
        Some(run)
    }

    fn count_in(&mut self, run: &Run) {
        self.items += u64::from(run.count);
        self.bytes += run.records.len();
    }

    fn count_out(&mut self, run: &Run) {
        self.items -= u64::from(run.count);
        self.bytes -= run.records.len();
    }

    /// Takes everything, as single items.
    pub(crate) fn drain(&mut self) -> Vec<(ItemIndex, Bytes)> {
        let mut all: Vec<_> = self
            .suspects
            .drain(..)
            .map(|s| (s.index, s.payload))
            .collect();
        for run in self.runs.drain(..) {
            let mut records = Records::new(run.records);
            let mut index = run.first;
            while let Ok(Some(record)) = records.next_record() {
                all.push((index, record.value));
                index = index.plus(1);
            }
        }
        self.items = 0;
        self.bytes = 0;
        all
    }
}
