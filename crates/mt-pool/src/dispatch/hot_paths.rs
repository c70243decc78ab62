//! The hot paths of the machine as single calls, whose instructions the gate of the benches counts.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use mt_proto::{Attachments, ItemIndex, RecordBuffer, Records, Segment, WorkerId};

use super::{AHEAD, Delivery, Dispatch, DispatchConfig, Effect, Event, delivery::Reorder};
use crate::{
    limits::{MemoryLimits, Recycle, Retries},
    supervision::RestartBudget,
};

/// The items of one segment of the input.
const SEGMENT: u32 = 64;
/// The bytes of an encoded item.
const ITEM: [u8; 4] = [7; 4];
/// How long each item takes a worker.
const SERVICE: Duration = Duration::from_micros(10);

/// A run of two workers, which report what they are given in portions, the latest and the oldest by turns.
#[derive(Debug)]
pub struct DispatchRun {
    dispatch: Dispatch,
    now: Instant,
    input: VecDeque<Segment>,
    items: u64,
    portion: u32,
    reports: VecDeque<(WorkerId, Segment)>,
    given_out: u64,
}

impl DispatchRun {
    /// A run over so many items, whose outcomes are told of `portion` at a time. Its workers are ready.
    #[must_use]
    pub fn new(now: Instant, items: u32, ordered: bool, portion: u32) -> Self {
        let mut run = Self {
            dispatch: Dispatch::new(config(ordered)),
            now,
            input: segments(items, SEGMENT),
            items: u64::from(items),
            portion,
            reports: VecDeque::new(),
            given_out: 0,
        };
        run.feed();
        for worker in [WorkerId(0), WorkerId(1)] {
            run.tell(Event::Ready(worker));
        }
        run
    }

    /// Takes all items through the machine, and returns how many outcomes came out.
    pub fn run(&mut self) -> u64 {
        let mut latest = false;
        while self.given_out < self.items {
            self.feed();
            latest = !latest;
            let report = match latest {
                true => self.reports.pop_back(),
                false => self.reports.pop_front(),
            };
            let Some((worker, results)) = report else {
                break;
            };
            self.now += SERVICE * results.count;
            self.tell(Event::Results(worker, results));
        }
        self.given_out
    }

    /// Offers what the machine has use for.
    fn feed(&mut self) {
        while self.dispatch.appetite() > 0
            && let Some(segment) = self.input.pop_front()
        {
            self.tell(Event::Input(segment));
        }
    }

    fn tell(&mut self, event: Event) {
        self.dispatch.handle(self.now, event);
        while let Some(effect) = self.dispatch.poll_effect() {
            match effect {
                Effect::Send(worker, segment, _) => self.begin(worker, segment),
                Effect::Deliver(delivery) => self.given_out += u64::from(delivery.count()),
                _ => {}
            }
        }
    }

    /// A worker was given items: it will report them.
    fn begin(&mut self, worker: WorkerId, segment: Segment) {
        let mut first = segment.first;
        let mut left = segment.count;
        let mut records = Records::new(segment.records);
        while left > self.portion {
            let Ok(front) = records.split_front(self.portion) else {
                break;
            };
            let part = Segment {
                first,
                count: self.portion,
                records: front,
                attachments: Attachments::NONE,
            };
            first = part.end();
            left -= self.portion;
            self.reports.push_back((worker, part));
        }
        let rest = Segment {
            first,
            count: left,
            records: records.into_rest(),
            attachments: Attachments::NONE,
        };
        self.reports.push_back((worker, rest));
    }
}

/// Outcomes that come one by one and out of order, and are put into it.
#[derive(Debug)]
pub struct ReorderRun {
    reorder: Reorder,
    early: Vec<Delivery>,
}

impl ReorderRun {
    /// So many outcomes, of which each `spread` come last first.
    #[must_use]
    pub fn new(items: u32, spread: usize) -> Self {
        let mut early: Vec<_> = segments(items, 1).into();
        early.chunks_mut(spread).for_each(<[_]>::reverse);
        Self {
            reorder: Reorder::default(),
            early: early.into_iter().map(Delivery::results).collect(),
        }
    }

    /// Puts them into order, and returns how many came out.
    pub fn run(&mut self) -> u64 {
        let mut given_out = 0;
        for delivery in self.early.drain(..) {
            self.reorder.push(delivery);
            while let Some(delivery) = self.reorder.pop() {
                given_out += u64::from(delivery.count());
            }
        }
        given_out
    }
}

fn segments(items: u32, each: u32) -> VecDeque<Segment> {
    let firsts = (0..items).step_by(each as usize);
    let segments = firsts.map(|first| {
        let count = each.min(items - first);
        let mut records = RecordBuffer::default();
        (0..count).for_each(|_| records.push_raw(&ITEM));
        Segment {
            first: ItemIndex(u64::from(first)),
            count,
            records: records.take(),
            attachments: Attachments::NONE,
        }
    });
    segments.collect()
}

/// As of plain functions with all defaults, and two workers.
fn config(ordered: bool) -> DispatchConfig {
    DispatchConfig {
        processes: 2,
        shared: false,
        min_processes: 0,
        ordered,
        in_order: true,
        takes_all: false,
        ahead: AHEAD,
        most_shared: 0,
        window_floor: 2,
        window_cap: 8192,
        max_pieces: 1024,
        crash_limit: 3,
        restarts: RestartBudget::default(),
        exit_grace: Duration::from_secs(5),
        queue_deadline: None,
        hard_deadline: None,
        close_deadline: None,
        memory: MemoryLimits::new(),
        retries: Retries::default(),
        buffer_bytes: usize::MAX,
        keep_items: false,
        recycle: Recycle::default(),
        seed: 0,
    }
}
