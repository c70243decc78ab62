//! The options of a run.

use crate::{
    StartError,
    limits::{
        ByteLimits, Deadlines, MAX_ITEMS, MemoryLimits, Processes, Recycle, Retries, WorkerOptions,
        at_least_one, in_range,
    },
};

#[derive(Debug, Clone)]
pub(crate) struct PmapOptions {
    pub(crate) batch_size: usize,
    pub(crate) max_concurrency: usize,
    pub(crate) processes: Processes,
    pub(crate) ordered: bool,
    pub(crate) capacity: Option<usize>,
    pub(crate) byte_limits: ByteLimits,
    pub(crate) deadlines: Deadlines,
    pub(crate) memory: MemoryLimits,
    pub(crate) retries: Retries,
    pub(crate) crash_limit: u32,
    pub(crate) recycle: Recycle,
    pub(crate) workers: WorkerOptions,
    pub(crate) context_per_worker: bool,
    pub(crate) fail_fast: bool,
    pub(crate) keep_items: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) total: Option<u64>,
}

impl Default for PmapOptions {
    fn default() -> Self {
        Self {
            batch_size: 1024,
            max_concurrency: 1024,
            processes: Processes::default(),
            ordered: true,
            capacity: None,
            byte_limits: ByteLimits::default(),
            deadlines: Deadlines::default(),
            memory: MemoryLimits::default(),
            retries: Retries::default(),
            crash_limit: 3,
            recycle: Recycle::default(),
            workers: WorkerOptions::default(),
            context_per_worker: false,
            fail_fast: false,
            keep_items: false,
            seed: None,
            total: None,
        }
    }
}

impl PmapOptions {
    /// Checks every option against its range.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        in_range("batch_size", self.batch_size, MAX_ITEMS)?;
        in_range("max_concurrency", self.max_concurrency, MAX_ITEMS)?;
        in_range("capacity", self.capacity.unwrap_or(1), MAX_ITEMS)?;
        at_least_one("crash_limit", u64::from(self.crash_limit))?;
        self.processes.check()?;
        self.byte_limits.check()?;
        self.deadlines.check()?;
        self.memory.check()?;
        self.retries.check()?;
        self.recycle.check()?;
        self.workers.check()
    }

    /// The most items pulled from the input and not yet taken out.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.unwrap_or_else(|| {
            let per_worker = self.batch_size.max(1024).saturating_mul(16);
            per_worker
                .saturating_mul(self.processes.max())
                .min(MAX_ITEMS)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut PmapOptions), wrong: Option<&str>) {
        let mut options = PmapOptions::default();
        change(&mut options);
        let found = match options.check() {
            Ok(()) => None,
            Err(StartError::Option { option, .. }) => Some(option),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, wrong);
    }

    #[test]
    fn zeros_and_giants_are_refused_by_name() {
        check(|_| {}, None);
        check(|o| o.batch_size = 0, Some("batch_size"));
        check(|o| o.max_concurrency = 0, Some("max_concurrency"));
        check(|o| o.capacity = Some(0), Some("capacity"));
        check(|o| o.crash_limit = 0, Some("crash_limit"));
        for processes in [
            0.into(),
            1_000_000.into(),
            std::ops::RangeInclusive::new(5, 4).into(),
            (5000..).into(),
        ] {
            check(|o| o.processes = processes, Some("processes"));
        }
        check(|o| o.processes = (4096..).into(), None);
    }

    #[test]
    fn bytes_and_fractions_are_refused_by_name() {
        let new = ByteLimits::new;
        for (limits, option) in [
            (new().buffer_bytes(0), "byte_limits.buffer_bytes"),
            (new().max_item_bytes(0), "byte_limits.max_item_bytes"),
            (new().max_item_bytes(1 << 30), "byte_limits.max_item_bytes"),
            (new().max_result_bytes(0), "byte_limits.max_result_bytes"),
        ] {
            check(|o| o.byte_limits = limits, Some(option));
        }
        let new = MemoryLimits::new;
        for (memory, option) in [
            (new().max_rss_bytes(0), "memory.max_rss_bytes"),
            (new().budget_bytes(0), "memory.budget_bytes"),
            (new().pause_above(-0.1), "memory.pause_above"),
        ] {
            check(|o| o.memory = memory, Some(option));
        }
    }

    #[test]
    fn times_that_are_too_short_are_refused_by_name() {
        let short = Duration::from_micros(999);
        let new = Deadlines::new;
        for (deadlines, option) in [
            (new().queue(short), "deadlines.queue"),
            (new().soft(short), "deadlines.soft"),
            (new().hard(short), "deadlines.hard"),
            (new().context(short), "deadlines.context"),
            (new().init(Duration::ZERO), "deadlines.init"),
        ] {
            check(|o| o.deadlines = deadlines, Some(option));
        }
        check(|o| o.deadlines = new().hard(Duration::MAX), None);
        let pauses = Retries::new(1).pause(short, Duration::ZERO);
        check(|o| o.retries = pauses, Some("retries.pause"));
        check(
            |o| o.workers.liveness.interval = Duration::ZERO,
            Some("workers.liveness"),
        );
        check(
            |o| o.workers.liveness.missed_beats = 0,
            Some("workers.liveness"),
        );
    }

    #[test]
    fn ages_of_workers_are_refused_by_name() {
        let short = Duration::from_micros(999);
        let new = Recycle::new;
        for (recycle, option) in [
            (new().after_items(0), "recycle.after_items"),
            (new().after_batches(0), "recycle.after_batches"),
            (new().above_rss_bytes(0), "recycle.above_rss_bytes"),
            (new().at_once(0), "recycle.at_once"),
            (new().jitter(1.5), "recycle.jitter"),
            (new().jitter(f64::NAN), "recycle.jitter"),
            (new().after_age(short), "recycle.after_age"),
            (new().after_idle(short), "recycle.after_idle"),
        ] {
            check(|o| o.recycle = recycle, Some(option));
        }
    }
}
