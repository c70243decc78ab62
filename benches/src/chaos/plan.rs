//! What a chaos run does, and when kills are due.

use std::time::Duration;

use rand::{RngExt, rngs::StdRng};

use super::{fault::INSIDE, job::Job};

/// The kills that belong to places in the input, so that also the shortest run has them.
pub(super) const KILLS_BY_PLACE: u64 = 5;

/// How much faster than asked for kills are due, so that none that comes a little late, and no
/// part of a second at the end, makes them too few.
const HASTE: f64 = 1.25;

/// Kills workers of a run at random and counts what became of every item.
///
/// Each item must have exactly one outcome, and the right value if any; every death must be told as what it was;
/// afterwards nothing must be left: no process, zombie, descriptor, thread, file or shared memory.
/// With `--calls` also: a call that was cancelled, or ran past its deadline, must be gone when that is said. Needs Linux.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask chaos                                     a million items, 5 kills a second
  cargo xtask chaos --tasks 20000000 --kills-per-s 50 --workers 8 --unordered --seed 7 --json
  cargo xtask chaos --hive --faults 100                 delegates to bees, a hundred of which kill them
  cargo xtask chaos --calls                             200,000 calls, 20 kills a second

Workers are killed from outside (SIGKILL, SIGSEGV, SIGABRT; some are stopped and go on, which must not matter), and by items
(SIGSEGV, abort, exit, stack overflow, memory, bytes that are no frame, half a frame).

A short run of a pool has at least five kills: the input waits for them. Calls are made by 64 tasks, up to 8 at once by each, and by 8
threads; some have deadlines, a priority or a caller, some are cancelled or dropped, one in 400 never ends by itself.

Ends with an error when an item is lost or doubled, a value is wrong, a death has a wrong name, something is left behind,
a call runs on after its outcome, or kills were fewer than asked for.")]
pub struct Plan {
    /// The items; of calls 200,000 if not said
    #[arg(long, default_value_t = 1_000_000, default_value_if("calls", "true", "200000"), value_parser = clap::value_parser!(u64).range(1000..))]
    pub(super) tasks: u64,

    /// The worker processes; of calls 4 if not said
    #[arg(long, default_value_t = 2, default_value_if("calls", "true", "4"))]
    pub(super) workers: usize,

    /// Kills per second of run, at least; of calls 20 if not said
    #[arg(long, default_value_t = 5, default_value_if("calls", "true", "20"), value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "K")]
    pub(super) kills_per_s: u32,

    /// Where the random numbers start
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,

    /// The items that kill their workers, in each of seven ways in turn
    #[arg(long, default_value_t = 21)]
    pub(super) faults: u64,

    /// Delegate to worker bees in place of running items in a pool
    #[arg(long)]
    pub(super) hive: bool,

    /// Make single calls in place of running items: from 64 tasks and 8 threads, with deadlines and cancels
    #[arg(long, conflicts_with_all = ["hive", "ordered"])]
    pub(super) calls: bool,

    /// Take outcomes as they come in place of the order of the items
    #[arg(long = "unordered", action = clap::ArgAction::SetFalse)]
    pub(super) ordered: bool,
}

impl Plan {
    /// The job number `n`: some kill their workers.
    pub(super) fn job(&self, n: u64) -> Job {
        let part = self.tasks / self.faults.max(1);
        // Bees have no limit of memory.
        let kinds = INSIDE.len() - usize::from(self.hive);
        let fault = (n / part) % kinds as u64;
        let is_one = self.faults > 0 && n % part == part / 2;
        Job {
            n,
            fault: is_one.then_some(fault as u8),
        }
    }

    /// The kills that there must have been in this time, in which workers could be killed.
    pub(super) fn kills_due(&self, time: Duration) -> u64 {
        let by_time = time.as_secs_f64() * f64::from(self.kills_per_s);
        // Nothing holds calls and delegates back until there was a kill.
        let is_held_back = !self.calls && !self.hive;
        let at_least = if is_held_back { KILLS_BY_PLACE } else { 0 };
        at_least.max(by_time.floor() as u64)
    }

    /// When kill number `n` by time is due, counted from the start of the schedule: at a random
    /// moment of the `n`th slot.
    pub(super) fn due(&self, n: u32, random: &mut StdRng) -> Duration {
        self.slot() * n + self.slot().mul_f64(random.random())
    }

    /// How late kills may be and are still made up for. What is later than that is put off with all
    /// that follow: a machine that starts workers more slowly than they are to be killed would see
    /// each of them die before it has done anything.
    pub(super) fn most_late(&self) -> Duration {
        self.slot()
    }

    fn slot(&self) -> Duration {
        Duration::from_secs_f64(1.0 / (HASTE * f64::from(self.kills_per_s)))
    }

    /// The places in the input before which a kill must land: one at a random place in each of
    /// equal parts, ascending.
    pub(super) fn places(&self, random: &mut StdRng) -> Vec<u64> {
        let part = self.tasks / (KILLS_BY_PLACE + 1);
        let place = |n| (n * part) + 1 + random.random_range(0..part.max(1));
        (0..KILLS_BY_PLACE).map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::{SeedableRng, rngs::StdRng};

    use super::{KILLS_BY_PLACE, Plan};

    const PLAN: Plan = Plan {
        tasks: 1000,
        workers: 2,
        kills_per_s: 10,
        seed: 1,
        faults: 10,
        hive: false,
        calls: false,
        ordered: true,
    };

    #[test]
    fn kills_are_due_often_enough_and_in_order() {
        let mut random = StdRng::seed_from_u64(7);
        let due: Vec<Duration> = (0..125).map(|n| PLAN.due(n, &mut random)).collect();
        assert!(due.is_sorted());
        assert!(due[124] < Duration::from_secs(10), "125 in the time of 100");
    }

    #[test]
    fn so_many_jobs_are_faults_and_of_every_kind() {
        let faults: Vec<u8> = (0..1000).filter_map(|n| PLAN.job(n).fault).collect();
        assert_eq!(faults, [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]);
    }

    #[test]
    fn places_ascend_within_the_input() {
        let places = PLAN.places(&mut StdRng::seed_from_u64(7));
        assert_eq!(places.len() as u64, KILLS_BY_PLACE);
        assert!(places.is_sorted_by(|a, b| a < b));
        assert!(places.iter().all(|&place| 0 < place && place < PLAN.tasks));
    }
}
