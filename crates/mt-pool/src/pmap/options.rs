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

    use mt_proto::Attachments;

    use super::*;
    use crate::WorkerStderr;
    use crate::supervision::{LivenessPolicy, OnSignal, RestartBudget, Verdict};

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

    /// Case M18: Every option of a run has the default that is told of it.
    #[test]
    fn defaults_of_a_run_are_those_of_the_documentation() {
        let run = PmapOptions::default();
        assert_eq!((run.batch_size, run.max_concurrency), (1024, 1024));
        assert_eq!((run.ordered, run.crash_limit), (true, 3));
        let flags = [run.context_per_worker, run.fail_fast, run.keep_items];
        assert_eq!((flags, run.seed, run.total), ([false; 3], None, None));
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!((run.processes.min(), run.processes.max()), (0, all));
        assert_eq!(run.capacity(), (16 * 1024 * all).min(1 << 24));
        let (bytes, most) = (ByteLimits::new().buffer_bytes(64 << 20), (1 << 30) - 1);
        let bytes = bytes.max_item_bytes(most).max_result_bytes(most);
        assert_eq!(run.byte_limits, bytes);
        let Deadlines {
            queue: None,
            soft: None,
            hard: None,
            context: None,
            init,
            exit_grace,
            kill_grace,
        } = run.deadlines
        else {
            panic!("{:?}", run.deadlines);
        };
        let seconds = Duration::from_secs;
        let graces = [init, exit_grace, kill_grace];
        assert_eq!(graces, [seconds(60), seconds(5), Duration::from_millis(50)]);
        let memory = MemoryLimits::new().oom_retries(1).pause_above(0.9);
        assert_eq!(run.memory, memory.with_children(false));
        let limits = (run.memory.max_rss_bytes, run.memory.budget_bytes);
        assert_eq!(limits, (None, None));
        let pauses = (run.retries.first_pause, run.retries.longest_pause);
        assert_eq!(pauses, (Duration::from_millis(10), seconds(10)));
        assert_eq!(
            (
                run.retries.limit,
                run.retries.wants(&[], &Attachments::NONE)
            ),
            (0, true)
        );
        let recycle = run.recycle;
        assert_eq!(recycle, Recycle::new().jitter(0.1).at_once(1));
        let limits = (recycle.items, recycle.batches, recycle.rss_bytes);
        assert_eq!(limits, (None, None, None));
        assert_eq!((recycle.age, recycle.idle), (None, None));
    }

    /// Case M19: Every option of workers has the default that is told of it.
    #[test]
    fn defaults_of_workers_are_those_of_the_documentation() {
        let workers = WorkerOptions::default();
        let RestartBudget { limit, period } = workers.restart_budget;
        assert_eq!((limit, period), (8, Duration::from_secs(10)));
        let policy = LivenessPolicy {
            interval: Duration::from_millis(500),
            missed_beats: 5,
            frozen: Verdict::Kill,
            stopped: Verdict::Report,
            starved_checks: 120,
            blocked_checks: 60,
            blocked: Verdict::Report,
            core_dump: Duration::from_secs(60),
        };
        assert_eq!(workers.liveness, policy);
        let signals = workers.on_signals;
        assert_eq!(signals.interrupt, OnSignal::Drain);
        assert_eq!(signals.terminate, OnSignal::Ignore);
        let explicit = WorkerOptions::new()
            .start_limit(Duration::from_secs(30))
            .stderr(WorkerStderr::Forward)
            .inherit_descriptors(false);
        assert_eq!(format!("{workers:?}"), format!("{explicit:?}"));
    }

    /// Case M23: A number that is out of its range is refused by the name of its option.
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

    /// Case M24: So is a number of bytes, and a fraction.
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

    /// Case M25: So is a time under a millisecond.
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
