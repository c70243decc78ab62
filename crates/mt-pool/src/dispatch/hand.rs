//! What one worker holds, and what becomes of it when the worker is gone.
//!
//! Pure: no IO, no clock, no runtime.

use std::{collections::VecDeque, time::Instant};

use mt_proto::{DecodeError, ItemIndex, Records, Run};

use super::{queue::Suspect, window::Window};

/// How far a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Started, not set up yet.
    Starting,
    /// Takes items.
    Ready,
    /// Told to finish and go; killed if it has not by then.
    Leaving {
        /// The end of its grace.
        until: Instant,
    },
    /// Being killed: nothing it still says counts.
    Dying,
}

/// A worker as the dispatch machine sees it.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) phase: Phase,
    pub(crate) window: Window,
    /// The suspect it runs alone, with the deaths charged to that item so far.
    pub(crate) alone: Option<u32>,
    /// The items it may still be given before it is recycled.
    pub(crate) quota: Option<u64>,
    /// Whether it has finished anything.
    pub(crate) fruitful: bool,
    /// Whether the pool ends it for reasons of its own.
    pub(crate) excused: bool,
    held: VecDeque<Held>,
    in_hand: u32,
    held_bytes: usize,
    sent: u64,
}

/// What a dead worker leaves.
#[derive(Debug, Default)]
pub(crate) struct Legacy {
    /// Started, not finished.
    pub(crate) suspects: Vec<Suspect>,
    /// Not started, in order.
    pub(crate) unstarted: Vec<Run>,
    /// The suspect it was to run alone, not started: its deaths are those it had.
    pub(crate) spared: Option<Suspect>,
}

/// A piece that was sent, until every item of it has its outcome.
#[derive(Debug)]
struct Held {
    run: Run,
    /// The worker's count of items before this piece.
    start: u64,
    done: Done,
}

/// Which items of a piece are done. Items mostly finish in order, so a count does for most.
#[derive(Debug, Default)]
struct Done {
    /// All before this are done.
    prefix: u32,
    /// Later ones, as bits from offset 0.
    later: Vec<u64>,
    later_count: u32,
}

impl Hand {
    pub(crate) fn new(window: Window, quota: Option<u64>) -> Self {
        Self {
            phase: Phase::Starting,
            window,
            alone: None,
            quota,
            fruitful: false,
            excused: false,
            held: VecDeque::new(),
            in_hand: 0,
            held_bytes: 0,
            sent: 0,
        }
    }

    /// The items it holds.
    pub(crate) fn in_hand(&self) -> u32 {
        self.in_hand
    }

    /// The bytes of the pieces it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// The pieces it holds.
    pub(crate) fn pieces(&self) -> usize {
        self.held.len()
    }

    /// The items it may be given now.
    pub(crate) fn room(&self) -> u32 {
        if self.alone.is_some() {
            return 0;
        }
        let room = self.window.room(self.in_hand);
        match self.quota {
            Some(quota) => room.min(u32::try_from(quota).unwrap_or(u32::MAX)),
            None => room,
        }
    }

    /// Takes note that `run` was sent.
    pub(crate) fn give(&mut self, run: Run) {
        self.in_hand += run.count;
        self.held_bytes += run.records.len();
        if let Some(quota) = &mut self.quota {
            *quota = quota.saturating_sub(u64::from(run.count));
        }
        let start = self.sent;
        self.sent += u64::from(run.count);
        self.held.push_back(Held {
            run,
            start,
            done: Done::default(),
        });
    }

    /// Takes note of results. A worker reports in runs of its own, which may span pieces.
    ///
    /// # Errors
    /// When any of these items is not held or has its outcome already; nothing was noted then.
    pub(crate) fn finish(&mut self, run: &Run) -> Result<(), DecodeError> {
        let mut first = run.first;
        while first < run.end() {
            let (held, offset, count) = self.part(first, run)?;
            if held.done.overlaps(offset, count) {
                return Err(DecodeError::Malformed(
                    "results for items that have theirs already",
                ));
            }
            first = first.plus(u64::from(count));
        }
        first = run.first;
        while first < run.end() {
            let (held, offset, count) = self.part(first, run)?;
            held.done.mark(offset, count);
            first = first.plus(u64::from(count));
        }
        self.in_hand -= run.count;
        self.fruitful = true;
        // Later pieces can be done before earlier ones; they must not count against the bound.
        let held_bytes = &mut self.held_bytes;
        self.held.retain(|held| {
            let done = held.is_done();
            *held_bytes -= if done { held.run.records.len() } else { 0 };
            !done
        });
        Ok(())
    }

    /// The piece that item `first` is in, its offset there, and how much of `run` goes on in it.
    fn part(&mut self, first: ItemIndex, run: &Run) -> Result<(&mut Held, u32, u32), DecodeError> {
        let held = self
            .held
            .iter_mut()
            .find(|held| held.run.first <= first && first < held.run.end())
            .ok_or(DecodeError::Malformed(
                "results for items the worker does not have",
            ))?;
        let offset = (first.0 - held.run.first.0) as u32;
        let count = (run.end().min(held.run.end()).0 - first.0) as u32;
        Ok((held, offset, count))
    }

    /// Splits what is left after a death into what had been started and what had not.
    pub(crate) fn salvage(&mut self, started: u64) -> Legacy {
        let alone = self.alone.take();
        let mut legacy = Legacy::default();
        for held in self.held.drain(..) {
            held.salvage(started, alone.unwrap_or(0), &mut legacy);
        }
        if let Some(deaths) = alone {
            legacy.spare(deaths);
        }
        self.in_hand = 0;
        self.held_bytes = 0;
        legacy
    }
}

impl Legacy {
    /// What was to run alone is still a suspect when it was not started.
    fn spare(&mut self, deaths: u32) {
        let Some(run) = self.unstarted.pop() else {
            return;
        };
        let record = Records::new(run.records).next_record();
        self.spared = record.ok().flatten().map(|record| Suspect {
            index: run.first,
            deaths,
            payload: record.value,
        });
    }
}

impl Held {
    fn is_done(&self) -> bool {
        self.done.count() == self.run.count
    }

    fn salvage(self, started: u64, charged: u32, legacy: &mut Legacy) {
        let started = started
            .saturating_sub(self.start)
            .min(u64::from(self.run.count)) as u32;
        let mut records = Records::new(self.run.records.clone());
        for offset in 0..started {
            let record = records.next_record();
            if self.done.contains(offset) {
                continue;
            }
            let record = record
                .ok()
                .flatten()
                .expect("a piece was counted when it came in");
            legacy.suspects.push(Suspect {
                index: self.run.first.plus(u64::from(offset)),
                deaths: charged + 1,
                payload: record.value,
            });
        }
        // What was not started is not done either, so it is one run; what a mad worker claims to
        // have done ahead of its own count splits it.
        let mut offset = started;
        while offset < self.run.count {
            let length = (offset..self.run.count)
                .take_while(|&o| !self.done.contains(o))
                .count();
            let length = length as u32;
            if length == 0 {
                let _ = records.next_record();
                offset += 1;
                continue;
            }
            let bytes = records
                .split_front(length)
                .expect("a piece was counted when it came in");
            let first = self.run.first.plus(u64::from(offset));
            legacy.unstarted.push(Run {
                first,
                count: length,
                records: bytes,
            });
            offset += length;
        }
    }
}

impl Done {
    fn count(&self) -> u32 {
        self.prefix + self.later_count
    }

    fn contains(&self, offset: u32) -> bool {
        offset < self.prefix || self.bit(offset)
    }

    fn bit(&self, offset: u32) -> bool {
        let word = self.later.get(offset as usize / 64).copied().unwrap_or(0);
        word >> (offset % 64) & 1 == 1
    }

    /// Whether any of these items is done.
    fn overlaps(&self, offset: u32, count: u32) -> bool {
        let mut range = offset..offset + count;
        offset < self.prefix || (self.later_count > 0 && range.any(|o| self.bit(o)))
    }

    /// Marks items as done that are not.
    fn mark(&mut self, offset: u32, count: u32) {
        let range = offset..offset + count;
        if offset == self.prefix {
            self.prefix += count;
            self.absorb();
            return;
        }
        let words = (range.end as usize).div_ceil(64);
        if self.later.len() < words {
            self.later.resize(words, 0);
        }
        for o in range {
            self.later[o as usize / 64] |= 1 << (o % 64);
        }
        self.later_count += count;
    }

    /// Moves what the prefix has reached out of the bits.
    fn absorb(&mut self) {
        while self.later_count > 0 && self.bit(self.prefix) {
            self.later[self.prefix as usize / 64] &= !(1 << (self.prefix % 64));
            self.prefix += 1;
            self.later_count -= 1;
        }
    }
}
