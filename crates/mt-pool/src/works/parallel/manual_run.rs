//! A run that is fed by hand and emptied by hand, by any number of threads: what
//! [`ProcessParalleliser`](crate::works::ProcessParalleliser) and [`WorkIterator`](crate::WorkIterator) are made
//! of.

use std::{
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use mt_proto::{Attachments, ItemIndex, Tally};

use super::shared_outlet::{Dry, SharedOutlet, Taken, What};
use crate::{
    AsynPmap, StartError, Task, TaskErrorKind,
    input::FeedEnd,
    pmap::{Emptied, LiveRun, Outcome, apart_outcome, decode_outcome, launch, record_outcome},
    stats::Stats,
};

/// A run fed and emptied by hand. Dropping it ends it.
#[derive(Debug)]
pub(super) struct ManualRun<T: Task<Input = u64>> {
    pub(super) run: LiveRun,
    pub(super) feed: FeedEnd,
    pub(super) outlet: SharedOutlet,
    credit: Credit,
    /// The outcomes that are about to be returned, if that is to be told from being taken.
    decoded: Option<AtomicU64>,
    failed: AtomicU64,
    cancelled: AtomicU64,
    task: PhantomData<fn() -> T>,
}

/// When an outcome that is taken makes room for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credit {
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
        let (launched, _) = launch(run.ordered(false))?;
        Ok(Self {
            run: launched.run,
            feed: launched.feed,
            outlet: SharedOutlet::new(launched.outcomes),
            credit,
            decoded: (credit == Credit::Strict).then(AtomicU64::default),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            task: PhantomData,
        })
    }

    /// Takes an outcome, waiting for it so long at most. Before it waits, and each time it was woken for nothing, `ask`
    /// is called, which may tell it not to.
    #[inline]
    pub(super) fn take(
        &self,
        timeout: Duration,
        ask: impl Fn() -> bool,
    ) -> Result<(ItemIndex, Outcome<T>), Dry> {
        let mut taken = Taken::default();
        let mut result = self.outlet.try_take(&mut taken);
        if result == Err(Dry::ForNow) {
            result = self.outlet.take(timeout, ask, &mut taken);
        }
        result.inspect_err(|dry| {
            if *dry == Dry::ForGood && !self.feed.is_cancelled() {
                self.run.assert_complete();
            }
        })?;
        self.give_credit(taken.emptied);
        let index = taken.index;
        let outcome = match taken.what {
            What::Short(tag, length) => {
                let value = &taken.short[..length.into()];
                decode_outcome::<T>(index, tag, Tally::default(), value, &Attachments::NONE)
            }
            What::Long(record) => record_outcome::<T>(index, &record),
            What::Apart(apart) => apart_outcome::<T>(*apart),
            What::Nothing => unreachable!("an outcome was taken"),
        };
        if let Err(error) = &outcome {
            self.failed.fetch_add(1, Ordering::Relaxed);
            let is_cancelled = matches!(error.kind(), TaskErrorKind::Cancelled);
            self.cancelled
                .fetch_add(is_cancelled.into(), Ordering::Relaxed);
            if self.run.fail_fast {
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
            (Credit::Each, _) => self.run.consumer.on_consumed(1, bytes),
            (Credit::Together | Credit::Strict, Some(emptied)) => {
                self.run.consumer.on_consumed(emptied.items.into(), bytes);
            }
            (Credit::Together | Credit::Strict, None) => {}
        }
    }

    /// Ends all at once: workers are killed, and nothing can be taken any more. Those who wait are told.
    pub(super) fn cancel(&self) {
        self.run.consumer.cancel();
        self.outlet.shut();
    }

    /// The same, waiting until the workers are gone.
    pub(super) fn end(&self) {
        self.cancel();
        self.run.end();
    }

    pub(super) fn stats(&self) -> Stats {
        let mut stats = self.run.handle.stats();
        stats.failed = self.failed.load(Ordering::Relaxed);
        stats.cancelled = self.cancelled.load(Ordering::Relaxed);
        stats.succeeded = self.count_taken().saturating_sub(stats.failed);
        stats
    }
}
