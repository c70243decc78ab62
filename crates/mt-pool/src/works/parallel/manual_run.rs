//! A run that is fed by hand and emptied by hand, by any number of threads: what
//! [`ProcessParalleliser`](crate::works::ProcessParalleliser) and [`WorkIterator`](crate::WorkIterator) are made
//! of.

use std::{
    marker::PhantomData,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use mt_proto::{ItemIndex, RecordBuffer, Tally};

use super::shared_outlet::{Dry, Emptied, SharedOutlet, Taken, What};
use crate::{
    AsynPmap, Pool, StartError, Task, TaskErrorKind,
    driver::Supervision,
    input::{ConsumerEnd, FeedEnd, NoRoom, RunControl},
    pmap::{Launched, Outcome, apart_outcome, decode_outcome, launch},
    stats::{Stats, StatsCell},
};

/// How long the end of a run waits for its workers to be gone. They are killed, so it takes a few
/// milliseconds; one in an uninterruptible system call is left to the guard thread.
const END_WAIT: Duration = Duration::from_secs(1);

/// A run fed and emptied by hand.
#[derive(Debug)]
pub(super) struct ManualRun<T: Task<Input = u64>> {
    feed: FeedEnd,
    consumer: ConsumerEnd,
    control: RunControl,
    stats: Arc<StatsCell>,
    supervision: Mutex<Supervision>,
    outlet: SharedOutlet,
    credit: Credit,
    fail_fast: bool,
    #[expect(dead_code, reason = "kept as long as the run uses its workers")]
    pool: Option<Pool>,
    /// The outcomes that are about to be returned, if that is to be told from being taken.
    decoded: Option<AtomicU64>,
    failed: AtomicU64,
    cancelled: AtomicU64,
    task: PhantomData<fn() -> T>,
}

/// When an outcome that is taken makes room for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credit {
    /// When it is taken.
    Each,
    /// With the last of those that came together. Cheaper, for whoever keeps count himself.
    Together,
    /// The same, and [`count_taken`](ManualRun::count_taken) counts it when it is about to be returned,
    /// not while it is decoded.
    Strict,
}

impl<T: Task<Input = u64>> ManualRun<T> {
    /// Starts `run`, whose input is not used.
    pub(super) fn start(run: AsynPmap<T>, credit: Credit) -> Result<Self, StartError> {
        let (launched, feed, _) = launch(run.ordered(false))?;
        let Launched {
            outcomes,
            consumer,
            control,
            stats,
            supervision,
            fail_fast,
            pool,
            ..
        } = launched;
        Ok(Self {
            feed,
            consumer,
            control,
            stats,
            supervision: Mutex::new(supervision),
            outlet: SharedOutlet::new(outcomes),
            credit,
            fail_fast,
            pool,
            decoded: (credit == Credit::Strict).then(AtomicU64::default),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            task: PhantomData,
        })
    }

    /// Waits for room for one item, until then at most. It has to follow.
    pub(super) fn reserve_until(&self, until: Option<Instant>) -> Result<(), NoRoom> {
        self.feed.reserve_until(until)
    }

    /// Reserves room for up to `most` items without waiting; they have to follow.
    pub(super) fn try_reserve(&self, most: u64) -> Result<u64, NoRoom> {
        self.feed.try_reserve(most)
    }

    /// Pushes an item that room was reserved for.
    pub(super) fn hand_in(&self, record: &[u8]) -> Option<ItemIndex> {
        self.feed.hand_in(record)
    }

    /// Pushes items that room was reserved for.
    pub(super) fn hand_in_some(&self, items: &mut RecordBuffer) {
        self.feed.push_some(items);
    }

    /// Takes an outcome that is here.
    #[inline]
    pub(super) fn try_take(&self) -> Result<(ItemIndex, Outcome<T>), Dry> {
        let mut taken = Taken::default();
        let result = self.outlet.try_take(&mut taken);
        self.finish(result, taken)
    }

    /// Takes an outcome, waiting for it until then at most; for ever without a time. `ask` is called
    /// before waiting.
    pub(super) fn take(
        &self,
        until: Option<Instant>,
        ask: impl Fn(),
    ) -> Result<(ItemIndex, Outcome<T>), Dry> {
        let mut taken = Taken::default();
        let result = self.outlet.take(until, ask, &mut taken);
        self.finish(result, taken)
    }

    /// Whether a thread waits for an outcome, or is about to.
    pub(super) fn is_waited_for(&self) -> bool {
        self.outlet.is_waited_for()
    }

    #[inline]
    fn finish(
        &self,
        result: Result<(), Dry>,
        taken: Taken,
    ) -> Result<(ItemIndex, Outcome<T>), Dry> {
        result.inspect_err(|dry| self.check_end(*dry))?;
        self.give_credit(taken.emptied);
        let index = taken.index;
        let outcome = match taken.what {
            What::Short(tag, length) => {
                let value = &taken.short[..length.into()];
                decode_outcome::<T>(index, tag, Tally::default(), value)
            }
            What::Long(record) => {
                decode_outcome::<T>(index, record.tag, record.tally(), &record.value)
            }
            What::Apart(apart) => apart_outcome::<T>(*apart),
            What::Nothing => unreachable!("an outcome was taken"),
        };
        if let Err(error) = &outcome {
            self.failed.fetch_add(1, Ordering::Relaxed);
            let is_cancelled = matches!(error.kind(), TaskErrorKind::Cancelled);
            self.cancelled
                .fetch_add(is_cancelled.into(), Ordering::Relaxed);
            if self.fail_fast {
                self.cancel();
            }
        }
        if let Some(decoded) = &self.decoded {
            decoded.fetch_add(1, Ordering::SeqCst);
        }
        Ok((index, outcome))
    }

    /// The outcomes that were taken; in strict counting, those that were decoded too.
    #[inline]
    pub(super) fn count_taken(&self) -> u64 {
        match &self.decoded {
            Some(decoded) => decoded.load(Ordering::SeqCst),
            None => self.outlet.count(),
        }
    }

    #[inline]
    fn give_credit(&self, emptied: Option<Emptied>) {
        let bytes = emptied.map_or(0, |emptied| emptied.bytes);
        match (self.credit, emptied) {
            (Credit::Each, _) => self.consumer.on_consumed(1, bytes),
            (Credit::Together | Credit::Strict, Some(emptied)) => {
                self.consumer.on_consumed(emptied.items.into(), bytes);
            }
            (Credit::Together | Credit::Strict, None) => {}
        }
    }

    /// An end that is none must not look like one.
    fn check_end(&self, dry: Dry) {
        assert!(
            dry == Dry::ForNow || self.feed.is_cancelled() || self.stats.is_complete(),
            "bug in mt-pool: the supervisor of this run has panicked"
        );
    }

    /// Whether an outcome is here.
    pub(super) fn is_dry(&self) -> bool {
        self.outlet.is_dry()
    }

    /// Whether items may still be pushed.
    pub(super) fn takes_items(&self) -> bool {
        self.feed.takes_items()
    }

    /// Whether every outcome has come and every worker is gone.
    pub(super) fn is_complete(&self) -> bool {
        self.stats.is_complete()
    }

    /// No item follows. Those that were pushed are done, and their outcomes can be taken.
    pub(super) fn close(&self) {
        self.feed.end_by_hand();
    }

    /// Ends all at once: workers are killed, and nothing can be taken any more. Those who wait are told.
    pub(super) fn cancel(&self) {
        self.consumer.cancel();
        self.outlet.shut();
    }

    /// After [`cancel`](Self::cancel), waits until the workers are gone. True when they are.
    pub(super) fn wait_for_end(&self) -> bool {
        let supervision = self.supervision.lock();
        supervision
            .unwrap_or_else(PoisonError::into_inner)
            .wait(END_WAIT)
    }

    /// What the run has done so far.
    pub(super) fn stats(&self) -> Stats {
        let mut stats = self.stats.get();
        stats.failed = self.failed.load(Ordering::Relaxed);
        stats.cancelled = self.cancelled.load(Ordering::Relaxed);
        stats.succeeded = self.count_taken().saturating_sub(stats.failed);
        stats.outstanding = self.control.outstanding();
        stats.pulled = self.control.pulled();
        stats
    }
}

impl<T: Task<Input = u64>> Drop for ManualRun<T> {
    fn drop(&mut self) {
        self.cancel();
        self.wait_for_end();
    }
}
