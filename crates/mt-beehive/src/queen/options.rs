//! The options of a hive, and their ranges.

use std::{ops::RangeInclusive, time::Duration};

use mt_pool::{
    StartError,
    limits::{WorkerOptions, at_least_one, in_range, is_time},
};

use super::deadlines::Deadlines;
use crate::machine::parent::{Config, Dispatch, Population};

/// The most tasks a worker bee does at once, as in the seed.
const MAX_CONCURRENCY: u32 = 1024;
/// The most worker bees that are started without being [asked for](crate::Hive::spawn): the pool's most workers.
const MAX_BEES: usize = 4096;
/// How often the number of bees is looked at. (The seed's is 10 s.)
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(super) struct HiveOptions {
    pub(super) max_concurrency: Option<u32>,
    pub(super) population: Population,
    pub(super) dispatch: Dispatch,
    pub(super) crash_limit: u32,
    pub(super) deadlines: Deadlines,
    pub(super) workers: WorkerOptions,
}

impl Default for HiveOptions {
    fn default() -> Self {
        Self {
            max_concurrency: Some(MAX_CONCURRENCY),
            population: Population::from(1..=default_max()),
            dispatch: Dispatch::default(),
            crash_limit: 3,
            deadlines: Deadlines::default(),
            workers: WorkerOptions::default(),
        }
    }
}

/// The seed's: processors less one, at least one.
fn default_max() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.saturating_sub(1).max(1)
}

/// So many bees.
impl From<usize> for Population {
    fn from(bees: usize) -> Self {
        Self::Fixed(bees)
    }
}

/// From the fewest to the most, looked at every second.
impl From<RangeInclusive<usize>> for Population {
    fn from(bees: RangeInclusive<usize>) -> Self {
        Self::Elastic {
            min: *bees.start(),
            max: *bees.end(),
            period: PERIOD,
        }
    }
}

impl HiveOptions {
    /// Checks every option against its range.
    ///
    /// # Errors
    /// [`StartError::Option`] for the first that is outside.
    pub(super) fn check(&self) -> Result<(), StartError> {
        at_least_one("max_concurrency", self.max_concurrency.map(u64::from))?;
        at_least_one("crash_limit", u64::from(self.crash_limit))?;
        is_time("deadlines.init", self.deadlines.init)?;
        is_time("deadlines.answer", self.deadlines.answer)?;
        self.workers.check()?;
        let (min, max, period) = match self.population {
            Population::Fixed(0) => return Ok(()),
            Population::Fixed(bees) => return in_range("processes", bees, MAX_BEES),
            Population::Elastic { min, max, period } => (min, max, period),
        };
        at_least_one("processes", min as u64)?;
        in_range("processes", max, MAX_BEES)?;
        if max < min {
            let option = "processes";
            let problem = format!("is {min}..={max}: the fewest are more than the most");
            return Err(StartError::Option { option, problem });
        }
        is_time("processes", period)
    }

    /// What the queen's side of the protocol goes by.
    pub(super) fn config(&self) -> Config {
        Config {
            dispatch: self.dispatch,
            population: self.population,
            crash_limit: self.crash_limit,
            restarts: self.workers.restart_budget,
            exit_grace: self.deadlines.exit_grace,
            bury_grace: self.deadlines.bury_grace,
            cancel_grace: self.deadlines.cancel_grace,
            answer: self.deadlines.answer,
            suspect_grace: self.deadlines.suspect_grace,
        }
    }
}

#[cfg(test)]
mod tests {
    use mt_pool::supervision::LivenessPolicy;

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

    /// Case H24: Every option of a hive has the default that is told of it.
    #[test]
    fn defaults_are_those_of_the_documentation() {
        let options = HiveOptions::default();
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        let population = Population::Elastic {
            min: 1,
            max: (most - 1).max(1),
            period: Duration::from_secs(1),
        };
        assert_eq!(options.population, population);
        assert_eq!(options.max_concurrency, Some(1024));
        assert_eq!(options.dispatch, Dispatch::Auction);
        assert_eq!(options.crash_limit, 3);
        let deadlines = Deadlines::new()
            .init(Duration::from_secs(60))
            .exit_grace(Duration::from_secs(5))
            .cancel_grace(Duration::from_millis(50))
            .answer(Duration::from_secs(30))
            .suspect_grace(Duration::from_secs(10));
        assert_eq!(options.deadlines, deadlines);
        let pools = WorkerOptions::default();
        assert_eq!(format!("{:?}", options.workers), format!("{pools:?}"));
    }

    /// Case H25: An option that is out of its range is an error that names it.
    #[test]
    fn what_is_out_of_range_is_an_error_and_says_of_which_option() {
        check(|_| {}, None);
        check(|o| o.max_concurrency = None, None);
        check(|o| o.max_concurrency = Some(0), Some("max_concurrency"));
        check(|o| o.crash_limit = 0, Some("crash_limit"));
        let policy = LivenessPolicy {
            missed_beats: 0,
            ..LivenessPolicy::default()
        };
        let workers = WorkerOptions::new().liveness(policy);
        check(|o| o.workers = workers, Some("workers.liveness"));
        for (time, is_wrong) in [(Duration::ZERO, true), (Duration::MAX, false)] {
            let says = |option| is_wrong.then_some(option);
            let graces = Deadlines::new().exit_grace(time).cancel_grace(time);
            let graces = graces.bury_grace(time);
            check(|o| o.deadlines = graces, None);
            check(|o| o.deadlines = graces.init(time), says("deadlines.init"));
            let answer = graces.answer(time);
            check(|o| o.deadlines = answer, says("deadlines.answer"));
            let (min, max, period) = (1, 1, time);
            let elastic = Population::Elastic { min, max, period };
            check(|o| o.population = elastic, says("processes"));
        }
        for (min, max, is_wrong) in [
            (0, 1, true),
            (3, 2, true),
            (2, 2, false),
            (1, 4096, false),
            (1, usize::MAX, true),
        ] {
            let wrong = is_wrong.then_some("processes");
            check(|o| o.population = (min..=max).into(), wrong);
        }
        for (bees, wrong) in [(0, None), (4096, None), (usize::MAX, Some("processes"))] {
            check(|o| o.population = bees.into(), wrong);
        }
    }
}
