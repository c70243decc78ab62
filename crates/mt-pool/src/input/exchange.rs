//! Where the feeder, the driver and the consumer of a run meet: items waiting, and the credit that
//! bounds them.
//!
//! One item costs the feeder one uncontended lock. The driver takes whatever is there, so items
//! travel one by one when they come slowly and a thousand at a time when they come fast.

mod control;
mod feed_end;

use std::{
    collections::VecDeque,
    iter,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use bytes::Bytes;
use mt_proto::{Attachments, ItemIndex, RecordBuffer, Segment};
use tokio::{runtime, sync::Notify};

use crate::{
    dispatch::{Event, WakeAt},
    lock::lock,
};

pub(crate) use control::{Asked, RunControl, WeakRunControl};
pub(crate) use feed_end::{CallRecord, FeedEnd, NoRoom, Unfed};

/// The most items in one block.
const BLOCK_ITEMS: u32 = 4096;
/// The most bytes in one block, unless it is a single item.
const BLOCK_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy)]
pub(crate) struct ExchangeLimits {
    /// The most items pulled from the input and not yet taken by the consumer.
    pub(crate) capacity: u64,
    /// The most bytes of encoded items, and as many again of results waiting for the consumer; one
    /// item is always let through.
    pub(crate) buffer_bytes: usize,
}

#[derive(Debug)]
struct Exchange {
    limits: ExchangeLimits,
    state: Mutex<ExchangeState>,
    /// The feeder waits here for room when it is a thread.
    room: Condvar,
    /// The feeder waits here for room when it is a future.
    room_async: Notify,
    /// The driver waits here for something to do.
    filled: Notify,
}

#[derive(Debug, Default)]
struct ExchangeState {
    /// What the dispatch machine is to be told, in order: items, and those that can't be sent.
    sealed: VecDeque<Event>,
    open: RecordBuffer,
    open_first: ItemIndex,
    next: ItemIndex,
    /// Places taken: of items not yet consumed, and of those that the feeder is about to pull.
    outstanding: u64,
    consumed: u64,
    /// Bytes of items that wait here, as they [count](Segment::weight).
    waiting_bytes: usize,
    /// Bytes of items that the driver holds.
    held_bytes: usize,
    /// Bytes of results that wait for the consumer.
    output_bytes: usize,
    /// Items that wait here.
    waiting: u64,
    /// The number of waiting items the driver wants to be told of.
    wake_at: Option<u64>,
    feeder_waits: bool,
    ended: bool,
    closed: bool,
    cancelled: bool,
    asked: Asked,
    /// The runtime whose only thread waits for an outcome, and does not turn it meanwhile.
    blocked: Option<runtime::Id>,
}

#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) feed: FeedEnd,
    pub(crate) driver: DriverEnd,
    pub(crate) consumer: ConsumerEnd,
    pub(crate) control: RunControl,
}

pub(crate) fn exchange(limits: ExchangeLimits) -> Ends {
    let exchange = Arc::new(Exchange {
        limits,
        state: Mutex::default(),
        room: Condvar::new(),
        room_async: Notify::new(),
        filled: Notify::new(),
    });
    Ends {
        feed: FeedEnd(Arc::clone(&exchange)),
        driver: DriverEnd(Arc::clone(&exchange)),
        consumer: ConsumerEnd(Arc::clone(&exchange)),
        control: RunControl(exchange),
    }
}

impl Exchange {
    pub(super) fn has_room(&self, state: &ExchangeState) -> bool {
        let bytes = state.waiting_bytes + state.held_bytes;
        state.outstanding < self.limits.capacity
            && (bytes < self.limits.buffer_bytes || state.outstanding == 0)
    }

    pub(super) fn wake_feeder(&self, mut state: MutexGuard<'_, ExchangeState>) {
        if state.feeder_waits && self.has_room(&state) {
            // Told once: the system takes its time to wake them, and each that finds no room says so again.
            state.feeder_waits = false;
            drop(state);
            // All of them, where items are fed by hand: each looks for itself.
            self.room.notify_all();
            self.room_async.notify_one();
        }
    }

    pub(super) fn wake_driver(&self, mut state: MutexGuard<'_, ExchangeState>) {
        if state.is_due() {
            state.wake_at = None;
            drop(state);
            self.filled.notify_one();
        }
    }

    /// Takes nothing more in, and tells those who wait for room.
    pub(super) fn close(&self, change: impl FnOnce(&mut ExchangeState)) {
        let mut state = self.lock();
        state.closed = true;
        change(&mut state);
        drop(state);
        self.room.notify_all();
        self.room_async.notify_one();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ExchangeState> {
        lock(&self.state)
    }
}

impl ExchangeState {
    /// Whether the driver wants to be told now.
    fn is_due(&self) -> bool {
        self.wake_at.is_some_and(|wake_at| self.waiting >= wake_at)
    }

    fn takes_nothing(&self) -> bool {
        self.closed || self.ended
    }

    /// Whether the run was closed while the feeder was inside the input. What the input yields then
    /// has never been part of the run.
    fn is_too_late(&mut self) -> bool {
        let too_late = self.takes_nothing();
        if too_late {
            self.outstanding = self.outstanding.saturating_sub(1);
        }
        too_late
    }

    fn append(&mut self, record: &[u8]) -> ItemIndex {
        if self.open.count() >= BLOCK_ITEMS || self.open.len_bytes() + record.len() > BLOCK_BYTES {
            self.seal();
        }
        let index = self.next;
        if self.open.is_empty() {
            self.open_first = index;
        }
        self.open.push_encoded(record);
        self.next = index.plus(1);
        self.waiting_bytes += record.len();
        self.waiting += 1;
        index
    }

    fn seal(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let count = self.open.count();
        let items = Segment {
            first: self.open_first,
            count,
            records: self.open.take(),
            attachments: Attachments::NONE,
        };
        self.sealed.push_back(Event::Input(items));
    }

    /// Adds a block of so many items that is not the open one.
    fn add_block(&mut self, count: u32, records: Bytes, attachments: Attachments) {
        let items = self.new_block(count, records, attachments);
        self.sealed.push_back(Event::Input(items));
    }

    fn new_block(&mut self, count: u32, records: Bytes, attachments: Attachments) -> Segment {
        self.seal();
        self.waiting += u64::from(count);
        let first = self.next;
        self.next = first.plus(count.into());
        let items = Segment {
            first,
            count,
            records,
            attachments,
        };
        self.waiting_bytes = self.waiting_bytes.saturating_add(items.weight());
        items
    }
}

/// What the driver found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) events: Vec<Event>,
    /// Whether the input has ended and nothing of it is left here.
    pub(crate) ended: bool,
    pub(crate) cancelled: bool,
    pub(crate) asked: Asked,
    /// Whether results for the consumer have piled up.
    pub(crate) output_full: bool,
}

/// Where the driver takes items out, and tells of outcomes.
#[derive(Debug)]
pub(crate) struct DriverEnd(Arc<Exchange>);

impl DriverEnd {
    /// Takes at least `appetite` items if they are there. If there are fewer, the driver is woken when so many as
    /// `wake_at` says wait. `held_bytes` is what the driver holds already.
    pub(crate) fn take(&self, appetite: u64, wake_at: WakeAt, held_bytes: usize) -> Found {
        let mut state = self.0.lock();
        let mut found = Found::default();
        let (mut items, mut taken) = (0, 0);
        while items < appetite
            || matches!(
                state.sealed.front(),
                Some(Event::Refused(_) | Event::Withdraw(_))
            )
        {
            if state.sealed.is_empty() {
                state.seal();
            }
            let Some(event) = state.sealed.pop_front() else {
                break;
            };
            let runs: &mut dyn Iterator<Item = &Segment> = match &event {
                Event::Input(run) => &mut iter::once(run),
                Event::Calls(calls) => &mut calls.iter().map(|(call, _)| call),
                _ => &mut iter::empty(),
            };
            for run in runs {
                items += u64::from(run.count);
                taken += run.weight();
            }
            found.events.push(event);
        }
        state.waiting_bytes = state.waiting_bytes.saturating_sub(taken);
        state.held_bytes = held_bytes + taken;
        state.waiting -= items;
        let wake_at = match found.events.is_empty() {
            true => wake_at.first,
            false => wake_at.next,
        };
        state.wake_at = (items < appetite).then_some(wake_at);
        found.ended = state.ended && state.sealed.is_empty() && state.open.is_empty();
        found.cancelled = state.cancelled;
        found.asked = state.asked;
        found.output_full = state.output_bytes >= self.0.limits.buffer_bytes;
        self.0.wake_feeder(state);
        found
    }

    /// No more items are wanted. What is here can still be taken.
    pub(crate) fn close(&self) {
        self.0.close(|_| {});
    }

    /// Whether nothing is left to take, and after [`close`](Self::close) nothing will be.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.0.lock();
        state.closed && state.sealed.is_empty() && state.open.is_empty()
    }

    /// Results went to the consumer's queue.
    pub(crate) fn on_delivered(&self, bytes: usize) {
        self.0.lock().output_bytes += bytes;
    }

    pub(crate) async fn filled(&self) {
        self.0.filled.notified().await;
    }
}

/// Whoever takes the outcomes, which is what gives credit back.
#[derive(Debug)]
pub(crate) struct ConsumerEnd(Arc<Exchange>);

impl ConsumerEnd {
    /// Took `items` out, which had `bytes` of results.
    pub(crate) fn on_consumed(&self, items: u64, bytes: usize) {
        let mut state = self.0.lock();
        let was_full = state.output_bytes >= self.0.limits.buffer_bytes;
        state.outstanding = state.outstanding.saturating_sub(items);
        state.consumed += items;
        state.output_bytes = state.output_bytes.saturating_sub(bytes);
        let is_full = state.output_bytes >= self.0.limits.buffer_bytes;
        if was_full && !is_full {
            self.0.filled.notify_one();
        }
        self.0.wake_feeder(state);
    }

    /// The consumer waits for an outcome, and holds up a runtime of one thread with that; or no longer.
    pub(crate) fn set_blocked(&self, blocked: Option<runtime::Id>) {
        let mut state = self.0.lock();
        state.blocked = blocked;
        drop(state);
        self.0.room_async.notify_one();
    }

    /// The consumer is gone: stops everything.
    pub(crate) fn cancel(&self) {
        self.0.close(|state| state.cancelled = true);
        self.0.filled.notify_one();
    }
}
