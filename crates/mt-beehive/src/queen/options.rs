//! The options of a hive, and their ranges.

use std::time::Duration;

use mt_pool::{LivenessPolicy, OnInterrupt, RestartBudget, StartError, WorkerStderr};
use tracing::level_filters::LevelFilter;

use crate::machine::parent::{Config, Dispatch, Population};

/// The most tasks a worker bee does at once, as in the seed.
const MAX_CONCURRENCY: u32 = 1024;
/// The shortest time for what can't be done in none.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest time of any option: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The options of a hive.
#[derive(Debug, Clone)]
pub(super) struct HiveOptions {
    pub(super) max_concurrency: Option<u32>,
    /// The options of the queen's side of the protocol.
    pub(super) config: Config,
    pub(super) liveness: LivenessPolicy,
    pub(super) init_deadline: Duration,
    pub(super) worker_stderr: WorkerStderr,
    pub(super) forward_tracing: Option<LevelFilter>,
    pub(super) on_interrupt: OnInterrupt,
}

impl Default for HiveOptions {
    fn default() -> Self {
        Self {
            max_concurrency: Some(MAX_CONCURRENCY),
            config: Config {
                dispatch: Dispatch::default(),
                population: default_population(),
                crash_limit: 3,
                restarts: RestartBudget::default(),
                exit_grace: Duration::from_secs(5),
                cancel_grace: Duration::from_millis(50),
            },
            liveness: LivenessPolicy::default(),
            init_deadline: Duration::from_secs(60),
            worker_stderr: WorkerStderr::Forward,
            forward_tracing: None,
            on_interrupt: OnInterrupt::default(),
        }
    }
}

/// The seed's, but for the period: processors less one, at least one.
fn default_population() -> Population {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Population::Elastic {
        min: 1,
        max: processors.saturating_sub(1).max(1),
        period: Duration::from_secs(1),
    }
}

impl HiveOptions {
    /// Checks every option against its range.
    ///
    /// # Errors
    /// [`StartError::Option`] for the first that is outside.
    pub(super) fn check(&self) -> Result<(), StartError> {
        at_least_one("max_concurrency", self.max_concurrency.unwrap_or(1))?;
        at_least_one("crash_limit", self.config.crash_limit)?;
        at_least_one("liveness.missed_beats", self.liveness.missed_beats)?;
        at_least_one("liveness.blocked_checks", self.liveness.blocked_checks)?;
        let times = [
            ("liveness.interval", SHORTEST, self.liveness.interval),
            ("init_deadline", SHORTEST, self.init_deadline),
            ("exit_grace", Duration::ZERO, self.config.exit_grace),
            ("cancel_grace", Duration::ZERO, self.config.cancel_grace),
        ];
        for (option, least, time) in times {
            in_range(option, least, time)?;
        }
        check_population(self.config.population)
    }
}

fn check_population(population: Population) -> Result<(), StartError> {
    let Population::Elastic { min, max, period } = population else {
        return Ok(());
    };
    at_least_one("population.min", min as u32)?;
    if max < min {
        let problem = format!("is {max}, less than the least, {min}");
        return Err(outside("population.max", problem));
    }
    in_range("population.period", SHORTEST, period)
}

/// Checks a number that can't be 0.
pub(super) fn at_least_one(option: &'static str, value: u32) -> Result<(), StartError> {
    match value {
        0 => Err(outside(option, "is 0; it has to be at least 1".into())),
        _ => Ok(()),
    }
}

fn in_range(option: &'static str, least: Duration, time: Duration) -> Result<(), StartError> {
    let problem = if time < least {
        format!("is {time:?}; it has to be at least {least:?}")
    } else if time > LONGEST {
        format!("is {time:?}; it can be at most a year")
    } else {
        return Ok(());
    };
    Err(outside(option, problem))
}

fn outside(option: &'static str, problem: String) -> StartError {
    StartError::Option { option, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut HiveOptions), wrong: Option<&str>) {
        let mut options = HiveOptions::default();
        change(&mut options);
        let found = match options.check() {
            Ok(()) => None,
            Err(StartError::Option { option, .. }) => Some(option),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, wrong);
    }

    fn elastic(min: usize, max: usize, period: Duration) -> Population {
        Population::Elastic { min, max, period }
    }

    #[test]
    fn what_is_out_of_range_is_an_error_and_says_of_which_option() {
        let second = Duration::from_secs(1);
        check(|_| {}, None);
        check(|o| o.max_concurrency = None, None);
        check(|o| o.max_concurrency = Some(0), Some("max_concurrency"));
        check(|o| o.config.crash_limit = 0, Some("crash_limit"));
        check(
            |o| o.liveness.missed_beats = 0,
            Some("liveness.missed_beats"),
        );
        check(
            |o| o.liveness.blocked_checks = 0,
            Some("liveness.blocked_checks"),
        );
        for (wrong, time) in [
            (true, Duration::ZERO),
            (true, Duration::MAX),
            (false, second),
        ] {
            let says = |option| wrong.then_some(option);
            check(|o| o.liveness.interval = time, says("liveness.interval"));
            check(|o| o.init_deadline = time, says("init_deadline"));
            let population = elastic(1, 1, time);
            check(
                |o| o.config.population = population,
                says("population.period"),
            );
        }
        for (wrong, time) in [(false, Duration::ZERO), (true, Duration::MAX)] {
            let says = |option| wrong.then_some(option);
            check(|o| o.config.exit_grace = time, says("exit_grace"));
            check(|o| o.config.cancel_grace = time, says("cancel_grace"));
        }
        for (min, max, wrong) in [
            (0, 1, Some("population.min")),
            (2, 1, Some("population.max")),
            (2, 2, None),
        ] {
            check(|o| o.config.population = elastic(min, max, second), wrong);
        }
        check(|o| o.config.population = Population::Fixed(0), None);
    }
}
