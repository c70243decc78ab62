//! The options of a run and their limits.

use std::time::Duration;

use mt_proto::MAX_RECORD_BYTES;
use tracing::level_filters::LevelFilter;

use super::recycle::Recycle;
use crate::{
    LivenessPolicy, OnInterrupt, RestartBudget, StartError, WorkerStderr,
    dispatch::{MemoryConfig, RetryConfig},
};

/// The most workers of a run. Far beyond any machine's cores, and below its usual limit of
/// descriptors.
const MAX_PROCESSES: usize = 4096;
/// The most items per batch, items at once, and items on the way.
const MAX_ITEMS: usize = 1 << 24;
/// The shortest deadline or age that can be kept.
const SHORTEST_TIME: Duration = Duration::from_millis(1);
/// Longer times are cut to this one, 30 years: they mean "never", and can be added to any instant.
const LONGEST_TIME: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// The options of a run, unchecked.
#[derive(Debug, Clone)]
pub(crate) struct PmapOptions {
    pub(crate) batch_size: usize,
    pub(crate) max_concurrency: usize,
    pub(crate) pool_processes: Option<usize>,
    pub(crate) pool_maxtasksperchild: Option<usize>,
    pub(crate) pool_ordered: bool,
    pub(crate) capacity: Option<usize>,
    pub(crate) buffer_bytes: usize,
    pub(crate) max_item_bytes: usize,
    pub(crate) max_result_bytes: usize,
    pub(crate) crash_limit: u32,
    pub(crate) restart_budget: RestartBudget,
    pub(crate) liveness: LivenessPolicy,
    pub(crate) exit_grace: Duration,
    pub(crate) on_interrupt: OnInterrupt,
    pub(crate) fail_fast: bool,
    pub(crate) worker_stderr: WorkerStderr,
    pub(crate) context_per_worker: bool,
    pub(crate) queue_deadline: Option<Duration>,
    pub(crate) soft_deadline: Option<Duration>,
    pub(crate) hard_deadline: Option<Duration>,
    pub(crate) kill_grace: Duration,
    pub(crate) init_deadline: Duration,
    pub(crate) context_deadline: Option<Duration>,
    pub(crate) memory: MemoryConfig,
    pub(crate) memory_high: Option<f64>,
    pub(crate) retry: RetryConfig,
    pub(crate) keep_items: bool,
    pub(crate) recycle: Recycle,
    pub(crate) min_processes: usize,
    pub(crate) seed: Option<u64>,
    pub(crate) forward_tracing: Option<LevelFilter>,
    pub(crate) total: Option<u64>,
}

impl Default for PmapOptions {
    fn default() -> Self {
        Self {
            batch_size: 1024,
            max_concurrency: 1024,
            pool_processes: None,
            pool_maxtasksperchild: None,
            pool_ordered: true,
            capacity: None,
            buffer_bytes: 64 * 1024 * 1024,
            max_item_bytes: MAX_RECORD_BYTES,
            max_result_bytes: MAX_RECORD_BYTES,
            crash_limit: 3,
            restart_budget: RestartBudget::default(),
            liveness: LivenessPolicy::default(),
            exit_grace: Duration::from_secs(5),
            on_interrupt: OnInterrupt::default(),
            fail_fast: false,
            worker_stderr: WorkerStderr::Forward,
            context_per_worker: false,
            queue_deadline: None,
            soft_deadline: None,
            hard_deadline: None,
            kill_grace: Duration::from_millis(50),
            init_deadline: Duration::from_secs(60),
            context_deadline: None,
            memory: MemoryConfig {
                oom_retries: 1,
                ..MemoryConfig::default()
            },
            memory_high: Some(0.9),
            retry: RetryConfig::default(),
            keep_items: false,
            recycle: Recycle::default(),
            min_processes: 0,
            seed: None,
            forward_tracing: None,
            total: None,
        }
    }
}

impl PmapOptions {
    /// Checks every option against its range.
    ///
    /// # Errors
    /// [`StartError::Option`] for the first that is outside.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        in_range("batch_size", self.batch_size, MAX_ITEMS)?;
        in_range("max_concurrency", self.max_concurrency, MAX_ITEMS)?;
        in_range("pool_processes", self.processes(), MAX_PROCESSES)?;
        in_range(
            "pool_maxtasksperchild",
            self.pool_maxtasksperchild.unwrap_or(1),
            usize::MAX,
        )?;
        in_range("capacity", self.capacity.unwrap_or(1), MAX_ITEMS)?;
        in_range("buffer_bytes", self.buffer_bytes, usize::MAX)?;
        in_range("max_item_bytes", self.max_item_bytes, MAX_RECORD_BYTES)?;
        in_range("max_result_bytes", self.max_result_bytes, MAX_RECORD_BYTES)?;
        in_range("crash_limit", self.crash_limit as usize, u32::MAX as usize)?;
        in_range(
            "liveness",
            self.liveness.missed_beats as usize,
            u32::MAX as usize,
        )?;
        in_range(
            "liveness",
            self.liveness.blocked_checks as usize,
            u32::MAX as usize,
        )?;
        self.check_times()?;
        self.check_bytes()?;
        if self.liveness.interval < Duration::from_millis(1) {
            let problem = "has an interval under 1 ms".into();
            return Err(StartError::Option {
                option: "liveness",
                problem,
            });
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), StartError> {
        let deadlines = [
            ("queue_deadline", self.queue_deadline),
            ("soft_deadline", self.soft_deadline),
            ("hard_deadline", self.hard_deadline),
            ("context_deadline", self.context_deadline),
            ("init_deadline", Some(self.init_deadline)),
            ("recycle", self.recycle.age),
            ("recycle", self.recycle.idle),
        ];
        for (option, deadline) in deadlines {
            if deadline.is_some_and(|deadline| deadline < SHORTEST_TIME) {
                let problem = format!("is under {SHORTEST_TIME:?}");
                return Err(StartError::Option { option, problem });
            }
        }
        if self.min_processes > self.processes() {
            let problem = format!(
                "is {}, more than pool_processes, {}",
                self.min_processes,
                self.processes()
            );
            let option = "min_processes";
            return Err(StartError::Option { option, problem });
        }
        let fraction = |option, value: f64| {
            let problem = format!("is {value}; it has to be between 0 and 1");
            let within = (0.0..=1.0).contains(&value);
            within
                .then_some(())
                .ok_or(StartError::Option { option, problem })
        };
        fraction("recycle.jitter", self.recycle.jitter)?;
        fraction("pause_above_memory", self.memory_high.unwrap_or(0.5))
    }

    fn check_bytes(&self) -> Result<(), StartError> {
        let at_least_one = [
            ("max_rss", self.memory.max_rss),
            ("memory_budget", self.memory.budget),
            ("recycle", self.recycle.rss),
            ("recycle", self.recycle.items),
            ("recycle", Some(u64::from(self.recycle.at_once))),
        ];
        for (option, value) in at_least_one {
            if value == Some(0) {
                let problem = "has a 0; it has to be at least 1".to_owned();
                return Err(StartError::Option { option, problem });
            }
        }
        Ok(())
    }

    /// Makes every time one that can be reckoned with.
    pub(crate) fn cut_times(&mut self) {
        let always = [
            &mut self.restart_budget.period,
            &mut self.liveness.interval,
            &mut self.exit_grace,
            &mut self.kill_grace,
            &mut self.init_deadline,
            &mut self.retry.first_pause,
            &mut self.retry.longest_pause,
        ];
        let sometimes = [
            &mut self.queue_deadline,
            &mut self.soft_deadline,
            &mut self.hard_deadline,
            &mut self.context_deadline,
            &mut self.recycle.age,
            &mut self.recycle.idle,
        ];
        let sometimes = sometimes.into_iter().flatten();
        for time in always.into_iter().chain(sometimes) {
            *time = LONGEST_TIME.min(*time);
        }
    }

    /// The most workers at once.
    pub(crate) fn processes(&self) -> usize {
        self.pool_processes
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The most items pulled from the input and not yet taken out.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.unwrap_or_else(|| {
            let per_worker = self.batch_size.max(1024).saturating_mul(16);
            per_worker.saturating_mul(self.processes()).min(MAX_ITEMS)
        })
    }
}

fn in_range(option: &'static str, value: usize, most: usize) -> Result<(), StartError> {
    let problem = match value {
        0 => "is 0; it has to be at least 1".to_owned(),
        v if v > most => format!("is {v}; it can be at most {most}"),
        _ => return Ok(()),
    };
    Err(StartError::Option { option, problem })
}

#[cfg(test)]
mod tests {
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
        check(|o| o.pool_processes = Some(0), Some("pool_processes"));
        check(
            |o| o.pool_processes = Some(1_000_000),
            Some("pool_processes"),
        );
        check(
            |o| o.pool_maxtasksperchild = Some(0),
            Some("pool_maxtasksperchild"),
        );
        check(|o| o.capacity = Some(0), Some("capacity"));
        check(|o| o.max_item_bytes = 1 << 30, Some("max_item_bytes"));
        check(|o| o.crash_limit = 0, Some("crash_limit"));
        check(|o| o.liveness.missed_beats = 0, Some("liveness"));
        check(|o| o.liveness.interval = Duration::ZERO, Some("liveness"));
        check(|o| o.memory.max_rss = Some(0), Some("max_rss"));
        check(|o| o.memory.budget = Some(0), Some("memory_budget"));
        check(|o| o.recycle.items = Some(0), Some("recycle"));
        check(|o| o.recycle.rss = Some(0), Some("recycle"));
        check(|o| o.recycle.at_once = 0, Some("recycle"));
        check(|o| o.recycle.jitter = 1.5, Some("recycle.jitter"));
        check(|o| o.recycle.jitter = f64::NAN, Some("recycle.jitter"));
        check(|o| o.memory_high = Some(-0.1), Some("pause_above_memory"));
        check(|o| o.min_processes = 5000, Some("min_processes"));
        let short = Some(Duration::from_micros(999));
        check(|o| o.queue_deadline = short, Some("queue_deadline"));
        check(|o| o.soft_deadline = short, Some("soft_deadline"));
        check(|o| o.hard_deadline = short, Some("hard_deadline"));
        check(|o| o.context_deadline = short, Some("context_deadline"));
        check(|o| o.init_deadline = Duration::ZERO, Some("init_deadline"));
        check(|o| o.recycle.age = short, Some("recycle"));
        check(|o| o.recycle.idle = short, Some("recycle"));
    }
}
