//! Where outcomes come out of a run, for any number of threads.
//!
//! Threads share one receiver and one delivery that is being taken apart. What a thread takes is one
//! record, still encoded: decoding is user code and happens outside the lock.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use mt_proto::{ItemIndex, Record, RecordTag, Records};
use tokio::task::coop::unconstrained;

use super::wait_cell::WaitCell;
use crate::{
    dispatch::{Apart, Delivery},
    driver::DeliveryReceiver,
    lock::lock,
    pmap::{Emptied, OpenSegment},
};

/// The most bytes of a record that is copied out.
const SHORT_BYTES: usize = 32;

#[derive(Debug)]
pub(super) struct SharedOutlet {
    state: Mutex<OutletState>,
    /// Outcomes taken. Written under the lock.
    taken: AtomicU64,
    wait_cell: Arc<WaitCell>,
    waker: Waker,
}

#[derive(Debug)]
struct OutletState {
    outcomes: DeliveryReceiver,
    current: Option<Current>,
    over: bool,
}

/// A delivery whose outcomes are being taken.
#[derive(Debug)]
enum Current {
    Results(OpenSegment),
    Apart(Box<Apart>),
}

/// Where one outcome is put, undecoded. A place to be filled, because moving it costs as much as
/// everything else.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) index: ItemIndex,
    pub(super) what: What,
    /// Set with the last outcome of a delivery.
    pub(super) emptied: Option<Emptied>,
    /// The bytes of a short record.
    pub(super) short: [u8; SHORT_BYTES],
}

#[derive(Debug)]
pub(super) enum What {
    Nothing,
    /// A short record of so many bytes. Copying it is cheaper than sharing its delivery with another
    /// thread.
    Short(RecordTag, u8),
    /// A longer one, or one that comes with a tally.
    Long(Record),
    /// An outcome that was told of by itself.
    Apart(Box<Apart>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dry {
    /// Nothing has come in time.
    ForNow,
    ForGood,
}

impl SharedOutlet {
    pub(super) fn new(outcomes: DeliveryReceiver) -> Self {
        let wait_cell = Arc::new(WaitCell::default());
        Self {
            state: Mutex::new(OutletState {
                outcomes,
                current: None,
                over: false,
            }),
            taken: AtomicU64::new(0),
            waker: Waker::from(Arc::clone(&wait_cell)),
            wait_cell,
        }
    }

    #[inline]
    pub(super) fn count(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn try_take(&self, into: &mut Taken) -> Result<(), Dry> {
        self.take_beside(0, into)
    }

    /// Takes an outcome, waiting for it so long at most. `ask` is called before waiting, and the time it takes
    /// the first time does not count.
    pub(super) fn take(
        &self,
        timeout: Duration,
        ask: impl Fn() -> bool,
        into: &mut Taken,
    ) -> Result<(), Dry> {
        let waiter = self.wait_cell.waiter();
        let mut until = None;
        loop {
            let rings = self.wait_cell.rings();
            let taken = self.take_beside(1, into);
            if !matches!(taken, Err(Dry::ForNow)) {
                return taken;
            }
            // After the look: whoever takes an outcome later sees that somebody waits.
            if !ask() {
                return taken;
            }
            let until = *until.get_or_insert_with(|| Instant::now().checked_add(timeout));
            if !waiter.wait(rings, until) {
                return taken;
            }
        }
    }

    /// Whether a thread waits for an outcome, or is about to.
    #[inline]
    pub(super) fn is_waited_for(&self) -> bool {
        self.wait_cell.waiting() > 0
    }

    pub(super) fn is_dry(&self) -> bool {
        !lock(&self.state).fetch(&self.waker)
    }

    /// Nothing is taken any more; those who wait are told.
    pub(super) fn shut(&self) {
        let mut state = lock(&self.state);
        state.over = true;
        state.current = None;
        state.outcomes.close();
        drop(state);
        self.wait_cell.ring_all();
    }

    /// Takes an outcome. If others wait than the `own` one, leaves them the waker, and wakes one when
    /// there is something for it.
    #[inline]
    fn take_beside(&self, own: usize, into: &mut Taken) -> Result<(), Dry> {
        let mut state = lock(&self.state);
        let taken = state.take(&self.waker, into);
        if taken.is_ok() {
            // Not an atomic addition, which costs as much as the lock.
            let count = self.taken.load(Ordering::Relaxed) + 1;
            self.taken.store(count, Ordering::Relaxed);
        }
        if self.wait_cell.waiting() <= own {
            return taken;
        }
        let more = taken.is_ok() && state.fetch(&self.waker);
        let over = state.over;
        drop(state);
        if over {
            self.wait_cell.ring_all();
        } else if more {
            self.wait_cell.ring();
        }
        taken
    }
}

impl OutletState {
    #[inline]
    fn take(&mut self, waker: &Waker, into: &mut Taken) -> Result<(), Dry> {
        if !self.fetch(waker) {
            return Err(if self.over { Dry::ForGood } else { Dry::ForNow });
        }
        if let Some(Current::Results(segment)) = &mut self.current {
            into.index = segment.next;
            into.fill(&mut segment.records);
            into.emptied = segment.step();
            if into.emptied.is_some() {
                self.current = None;
            }
            return Ok(());
        }
        let Some(Current::Apart(apart)) = self.current.take() else {
            unreachable!("one was fetched above");
        };
        let bytes = apart.len_bytes();
        into.index = apart.index;
        into.what = What::Apart(apart);
        into.emptied = Some(Emptied { items: 1, bytes });
        Ok(())
    }

    /// Whether there is a current delivery, after looking for one. If there is none, the next one
    /// wakes.
    #[inline]
    fn fetch(&mut self, waker: &Waker) -> bool {
        self.current.is_some() || (!self.over && self.receive(waker))
    }

    fn receive(&mut self, waker: &Waker) -> bool {
        // A thread inside a task of tokio would be told that nothing is there when the task has used
        // up its budget, and its waker would not be called before the task yields. It does not.
        let received = pin!(unconstrained(poll_fn(|cx| self.outcomes.poll_recv(cx))));
        match received.poll(&mut Context::from_waker(waker)) {
            Poll::Pending => return false,
            Poll::Ready(None) => self.over = true,
            Poll::Ready(Some(Delivery::Results(segment))) => {
                self.current = Some(Current::Results(OpenSegment::new(segment)));
            }
            Poll::Ready(Some(Delivery::Apart(apart))) => {
                self.current = Some(Current::Apart(apart));
            }
        }
        self.current.is_some()
    }
}

impl Default for Taken {
    fn default() -> Self {
        Self {
            index: ItemIndex(0),
            what: What::Nothing,
            emptied: None,
            short: [0; SHORT_BYTES],
        }
    }
}

impl Taken {
    /// Takes the next record. They were counted and measured when they came in.
    #[inline]
    fn fill(&mut self, records: &mut Records) {
        const COUNTED: &str = "as many records as the run's count";
        let (length, tallied) = records.next_shape().ok().flatten().expect(COUNTED);
        if length > SHORT_BYTES || tallied {
            let record = records.next_record().ok().flatten().expect(COUNTED);
            self.what = What::Long(record);
            return;
        }
        let tag = records.next_with(|tag, value| {
            copy(value, &mut self.short);
            tag
        });
        let tag = tag.ok().flatten().expect(COUNTED);
        self.what = What::Short(tag, length as u8);
    }
}

/// Copies a few bytes as one word, which can be read again at once. A `memcpy` of two bytes takes ten
/// times as long.
#[inline]
fn copy(from: &[u8], to: &mut [u8; SHORT_BYTES]) {
    let Some(word) = to.first_chunk_mut::<8>().filter(|_| from.len() <= 8) else {
        to[..from.len()].copy_from_slice(from);
        return;
    };
    let shifted = |(at, byte): (usize, &u8)| u64::from(*byte) << (8 * at);
    let bits = from.iter().enumerate().map(shifted);
    *word = bits.fold(0, |word, bits| word | bits).to_le_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_records_are_copied_whole() {
        let all: Vec<u8> = (1..=SHORT_BYTES as u8).collect();
        for length in 0..=SHORT_BYTES {
            let mut to = [0xff; SHORT_BYTES];
            copy(&all[..length], &mut to);
            assert_eq!(to[..length], all[..length], "{length}");
        }
    }
}
