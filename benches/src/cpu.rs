//! Work that keeps a processor busy for a known time, and jobs of many such tasks.
//!
//! A task is a number of rounds of arithmetic. How many rounds make a microsecond is measured once a program, so both
//! sides of a row do the same work by the same function, however quick the machine is.

use std::{
    hint::black_box,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    measure::Sample,
    tasks::{mix, spin},
};

/// Looks at the clock, of which the quickest counts: the one that nothing else on the machine held up.
const LOOKS: usize = 50;
/// The rounds between two looks: about a millisecond.
const ROUNDS: u64 = 500_000;

/// Computes for so many rounds, each of which needs the one before, and gives their number.
#[inline(never)]
pub(crate) fn rounds(count: u64) -> u64 {
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..count {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    black_box(x);
    count
}

/// The rounds that take this long when nothing holds them up.
pub(crate) fn rounds_in(time: Duration) -> u64 {
    static SECONDS: OnceLock<f64> = OnceLock::new();
    let look = |_| {
        let begun = Instant::now();
        rounds(black_box(ROUNDS));
        begun.elapsed().as_secs_f64() / ROUNDS as f64
    };
    let seconds = SECONDS.get_or_init(|| (0..LOOKS).map(look).fold(f64::MAX, f64::min));
    (time.as_secs_f64() / seconds).round() as u64
}

/// The processors that this process may use.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Many tasks, given by their rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) count: u64,
    usual: u64,
    /// The rounds of the rare ones, and of how many tasks one is rare.
    rare: (u64, u64),
}

impl Job {
    /// So many tasks that take this long each.
    pub(crate) fn of(count: u64, time: Duration) -> Self {
        let usual = rounds_in(time);
        let rare = (usual, 1);
        Self { count, usual, rare }
    }

    /// The same with one of every so many tasks, each time at another place among them, that takes that long.
    pub(crate) fn with_rare(self, one_of: u64, time: Duration) -> Self {
        let rare = (rounds_in(time), one_of);
        Self { rare, ..self }
    }

    /// The rounds of one task.
    pub(crate) fn rounds(self, task: u64) -> u64 {
        let (rounds, one_of) = self.rare;
        let is_rare = task % one_of == mix(task / one_of + 1) % one_of;
        if is_rare { rounds } else { self.usual }
    }

    /// The rounds of each task.
    pub(crate) fn tasks(self) -> impl Iterator<Item = u64> + Send + 'static {
        (0..self.count).map(move |task| self.rounds(task))
    }

    /// The rounds of the longest task.
    pub(crate) fn longest(self) -> u64 {
        self.usual.max(self.rare.0)
    }

    /// Does the job, and says how many thousand tasks a second that is. `work` gives what the tasks have
    /// returned in sum.
    pub(crate) fn timed(self, work: impl FnOnce() -> Result<u64>) -> Result<Sample> {
        let begun = Instant::now();
        let sum = work()?;
        let whole = begun.elapsed();
        ensure!(sum == self.total(), "the results have other values");
        let value = self.count as f64 / whole.as_secs_f64() / 1e3;
        Ok(Sample::taken(value, whole))
    }

    /// All rounds of all tasks.
    pub(crate) fn total(self) -> u64 {
        self.tasks().sum()
    }

    /// The job one task after the other, here.
    pub(crate) fn alone(self) -> Result<Sample> {
        self.timed(|| Ok(self.tasks().map(spin).sum()))
    }

    /// What no schedule can beat: so many threads that all do an equal share of the rounds, without any tasks, but the
    /// first never less than the longest task.
    pub(crate) fn ideal(self, threads: usize) -> Result<Sample> {
        let total = self.total();
        self.timed(|| {
            let share = total.div_ceil(threads as u64);
            std::thread::scope(|scope| {
                scope.spawn(|| rounds(share.max(self.longest())));
                for _ in 1..threads {
                    scope.spawn(|| rounds(share));
                }
            });
            Ok(total)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Job};

    #[test]
    fn of_so_many_tasks_one_is_rare() {
        let usual = Job::of(1_000, Duration::from_micros(1));
        assert_eq!(usual.longest() * 1_000, usual.total());
        let job = usual.with_rare(100, Duration::from_micros(200));
        let rare = job.tasks().filter(|&rounds| rounds == job.longest());
        assert_eq!(rare.count(), 10);
    }
}
