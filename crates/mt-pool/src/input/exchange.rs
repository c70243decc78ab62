//! Where the feeder, the supervisor and the consumer of a run meet: items waiting, and the credit that
//! bounds them.
//!
//! One item costs the feeder one uncontended lock. The supervisor takes whatever is there, so items
//! travel one by one when they come slowly and a thousand at a time when they come fast.

mod by_hand;

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use mt_proto::{ItemIndex, RecordBuffer, Segment};
use tokio::sync::Notify;

use crate::dispatch::Delivery;

pub(crate) use by_hand::NoRoom;

/// The most items in one block.
const BLOCK_ITEMS: u32 = 4096;
/// The most bytes in one block, unless it is a single item.
const BLOCK_BYTES: usize = 64 * 1024;

/// The bounds of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExchangeLimits {
    /// The most items pulled from the input and not yet taken by the consumer.
    pub(crate) capacity: u64,
    /// The most bytes of encoded items, and as many again of results waiting for the consumer; one
    /// item is always let through.
    pub(crate) buffer_bytes: usize,
}

/// Something the feeder has for the supervisor.
#[derive(Debug)]
pub(crate) enum Block {
    /// Items.
    Items(Segment),
    /// An item that can't be sent.
    Refused(Delivery),
}

/// The meeting place.
#[derive(Debug)]
pub(crate) struct Exchange {
    limits: ExchangeLimits,
    state: Mutex<State>,
    /// The feeder waits here for room when it is a thread.
    room: Condvar,
    /// The feeder waits here for room when it is a future.
    room_async: Notify,
    /// The supervisor waits here for something to do.
    filled: Notify,
}

#[derive(Debug, Default)]
struct State {
    sealed: VecDeque<Block>,
    open: RecordBuffer,
    open_first: ItemIndex,
    next: ItemIndex,
    /// Places taken: of items not yet consumed, and of those that the feeder is about to pull.
    outstanding: u64,
    /// Items consumed.
    consumed: u64,
    /// Bytes of items that wait here.
    waiting_bytes: usize,
    /// Bytes of items that the supervisor holds.
    held_bytes: usize,
    /// Bytes of results that wait for the consumer.
    output_bytes: usize,
    /// Items that wait here.
    waiting: u64,
    /// The number of waiting items the supervisor wants to be told of.
    wake_at: Option<u64>,
    feeder_waits: bool,
    ended: bool,
    closed: bool,
    cancelled: bool,
    asked: Asked,
}

/// What the run's handle asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// Nothing.
    #[default]
    Nothing,
    /// No more input; finish what there is.
    Close,
    /// An end at once, with an outcome for every item.
    Cancel,
}

/// What the supervisor found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The blocks.
    pub(crate) blocks: Vec<Block>,
    /// Whether the input has ended and nothing of it is left here.
    pub(crate) ended: bool,
    /// Whether the consumer is gone.
    pub(crate) cancelled: bool,
    /// What the handle asks for.
    pub(crate) asked: Asked,
    /// Whether results for the consumer have piled up.
    pub(crate) output_full: bool,
}

impl Exchange {
    pub(crate) fn new(limits: ExchangeLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            room: Condvar::new(),
            room_async: Notify::new(),
            filled: Notify::new(),
        }
    }

    /// Feeder: waits for room for one more item, blocking the thread. False when none is wanted any
    /// more.
    pub(crate) fn reserve(&self) -> bool {
        let mut state = self.lock();
        while !self.has_room(&state) && !state.closed {
            state.feeder_waits = true;
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.feeder_waits = false;
        state.outstanding += 1;
        !state.closed
    }

    /// Feeder: [`reserve`](Self::reserve) for up to `most` items at once. Returns how many; 0 when none
    /// are wanted any more. What is not used goes back with [`give_back`](Self::give_back).
    pub(crate) fn reserve_some(&self, most: u64) -> u64 {
        if !self.reserve() {
            self.give_back(1);
            return 0;
        }
        let mut state = self.lock();
        let more = self
            .limits
            .capacity
            .saturating_sub(state.outstanding)
            .min(most - 1);
        state.outstanding += more;
        more + 1
    }

    /// Feeder: so many of the reserved items do not come.
    pub(crate) fn give_back(&self, items: u64) {
        let mut state = self.lock();
        state.outstanding = state.outstanding.saturating_sub(items);
    }

    /// Feeder: adds `items`, which room was reserved for.
    pub(crate) fn push_some(&self, items: &mut RecordBuffer) {
        if items.is_empty() {
            return;
        }
        let mut state = self.lock();
        let count = items.count();
        if state.closed {
            state.outstanding = state.outstanding.saturating_sub(u64::from(count));
            return;
        }
        state.seal();
        let records = items.take();
        state.waiting_bytes += records.len();
        state.waiting += u64::from(count);
        let run = Segment {
            first: state.next,
            count,
            records,
        };
        state.next = run.end();
        state.sealed.push_back(Block::Items(run));
        self.wake_supervisor(state);
    }

    /// Feeder: the same as a future. Not cancel-safe.
    pub(crate) async fn reserve_async(&self) -> bool {
        loop {
            let room = self.room_async.notified();
            {
                let mut state = self.lock();
                if self.has_room(&state) || state.closed {
                    state.feeder_waits = false;
                    state.outstanding += 1;
                    return !state.closed;
                }
                state.feeder_waits = true;
            }
            room.await;
        }
    }

    /// Feeder: adds the item room was reserved for, encoded as a record.
    pub(crate) fn push(&self, record: &[u8]) {
        let state = self.add(record);
        self.wake_supervisor(state);
    }

    /// Feeder: [`push`](Self::push) and [`reserve`](Self::reserve) for the next item in one go.
    #[inline]
    pub(crate) fn push_and_reserve(&self, record: &[u8]) -> bool {
        let mut state = self.add(record);
        if !state.is_due() && !state.closed && self.has_room(&state) {
            state.outstanding += 1;
            return true;
        }
        self.wake_supervisor(state);
        self.reserve()
    }

    fn add(&self, record: &[u8]) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        if !state.is_too_late() {
            state.append(record);
        }
        state
    }

    /// Feeder: the same for a long item, which makes a block of its own without being copied.
    pub(crate) fn push_long(&self, record: Bytes) {
        let mut state = self.lock();
        if state.is_too_late() {
            return;
        }
        state.seal();
        state.waiting_bytes += record.len();
        state.waiting += 1;
        let run = Segment {
            first: state.next,
            count: 1,
            records: record,
        };
        state.sealed.push_back(Block::Items(run));
        state.next = state.next.plus(1);
        self.wake_supervisor(state);
    }

    /// Feeder: the item room was reserved for can't be sent.
    pub(crate) fn push_refused(&self, refuse: impl FnOnce(ItemIndex) -> Delivery) {
        let mut state = self.lock();
        if state.is_too_late() {
            return;
        }
        state.seal();
        let delivery = refuse(state.next);
        state.sealed.push_back(Block::Refused(delivery));
        state.next = state.next.plus(1);
        state.wake_at = Some(0);
        self.wake_supervisor(state);
    }

    /// Feeder: there is no item after all, and there will be none.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.outstanding -= 1;
        state.ended = true;
        state.wake_at = Some(0);
        self.wake_supervisor(state);
    }

    /// Feeder: there will be no further item; the last one was pushed.
    pub(crate) fn end_after_last(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.wake_at = Some(0);
        self.wake_supervisor(state);
    }

    /// Supervisor: takes at least `appetite` items if they are there. If there are fewer, it is woken
    /// when `wake_at` of them wait; at the next one, if there are none now. `held_bytes` is what it
    /// holds already.
    pub(crate) fn take(&self, appetite: u64, wake_at: u64, held_bytes: usize) -> Found {
        let mut state = self.lock();
        let mut found = Found::default();
        let mut items = 0;
        while items < appetite || matches!(state.sealed.front(), Some(Block::Refused(_))) {
            if state.sealed.is_empty() {
                state.seal();
            }
            let Some(block) = state.sealed.pop_front() else {
                break;
            };
            if let Block::Items(run) = &block {
                items += u64::from(run.count);
            }
            found.blocks.push(block);
        }
        let taken: usize = found.blocks.iter().map(Block::len_bytes).sum();
        state.waiting_bytes = state.waiting_bytes.saturating_sub(taken);
        state.held_bytes = held_bytes + taken;
        state.waiting -= items;
        let alone = if found.blocks.is_empty() { 1 } else { wake_at };
        state.wake_at = (items < appetite).then_some(alone);
        found.ended = state.ended && state.sealed.is_empty() && state.open.is_empty();
        found.cancelled = state.cancelled;
        found.asked = state.asked;
        found.output_full = state.output_bytes >= self.limits.buffer_bytes;
        self.wake_feeder(state);
        found
    }

    /// Supervisor: no more items are wanted. What is here can still be taken.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        drop(state);
        self.room.notify_all();
        self.room_async.notify_one();
    }

    /// Supervisor: whether nothing is left to take, and after [`close`](Self::close) nothing will be.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.lock();
        state.closed && state.sealed.is_empty() && state.open.is_empty()
    }

    /// Supervisor: results went to the consumer's queue.
    pub(crate) fn on_delivered(&self, bytes: usize) {
        self.lock().output_bytes += bytes;
    }

    /// Supervisor: waits until there may be something to take. Cancel-safe.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Consumer: took `items` out, which had `bytes` of results.
    pub(crate) fn on_consumed(&self, items: u64, bytes: usize) {
        let mut state = self.lock();
        let was_full = state.output_bytes >= self.limits.buffer_bytes;
        state.outstanding = state.outstanding.saturating_sub(items);
        state.consumed += items;
        state.output_bytes = state.output_bytes.saturating_sub(bytes);
        let is_full = state.output_bytes >= self.limits.buffer_bytes;
        if was_full && !is_full {
            self.filled.notify_one();
        }
        self.wake_feeder(state);
    }

    /// Consumer: it is gone; stop everything.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.cancelled = true;
        drop(state);
        self.room.notify_all();
        self.room_async.notify_one();
        self.filled.notify_one();
    }

    /// Handle: asks for the end of the run in one way or another. What was asked for stands.
    pub(crate) fn ask(&self, what: Asked) {
        let mut state = self.lock();
        state.closed = true;
        state.asked = state.asked.max(what);
        drop(state);
        self.room.notify_all();
        self.room_async.notify_one();
        self.filled.notify_one();
    }

    /// The items pulled and not yet consumed.
    pub(crate) fn outstanding(&self) -> u64 {
        let state = self.lock();
        state.next.0.saturating_sub(state.consumed)
    }

    /// The items that have come in.
    pub(crate) fn pulled(&self) -> u64 {
        self.lock().next.0
    }

    fn has_room(&self, state: &State) -> bool {
        let bytes = state.waiting_bytes + state.held_bytes;
        state.outstanding < self.limits.capacity
            && (bytes < self.limits.buffer_bytes || state.outstanding == 0)
    }

    fn wake_feeder(&self, state: MutexGuard<'_, State>) {
        if state.feeder_waits && self.has_room(&state) {
            drop(state);
            // All of them, where items are fed by hand: each looks for itself.
            self.room.notify_all();
            self.room_async.notify_one();
        }
    }

    fn wake_supervisor(&self, mut state: MutexGuard<'_, State>) {
        if state.is_due() {
            state.wake_at = None;
            drop(state);
            self.filled.notify_one();
        }
    }

    /// No user code runs under the lock, so a poisoned state is still consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the supervisor wants to be told now.
    fn is_due(&self) -> bool {
        self.wake_at.is_some_and(|wake_at| self.waiting >= wake_at)
    }

    /// Whether the run was closed while the feeder was inside the input. What the input yields then
    /// has never been part of the run.
    fn is_too_late(&mut self) -> bool {
        let too_late = self.closed || self.ended;
        if too_late {
            self.outstanding = self.outstanding.saturating_sub(1);
        }
        too_late
    }

    /// Adds an item to the open block.
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

    /// Closes the open block.
    fn seal(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let count = self.open.count();
        let run = Segment {
            first: self.open_first,
            count,
            records: self.open.take(),
        };
        self.sealed.push_back(Block::Items(run));
    }
}

impl Block {
    fn len_bytes(&self) -> usize {
        match self {
            Self::Items(run) => run.records.len(),
            Self::Refused(_) => 0,
        }
    }
}
