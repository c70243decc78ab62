//! Whether a worker is silent because it has no turn: the thread that beats waits for a processor, or for a page of its own.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, Instant};

use mt_ipc::Activity;

/// A tick of the processor time that is told, as nearly everywhere.
const TICK: Duration = Duration::from_millis(10);

/// What was seen of a silent worker's thread that beats.
#[derive(Debug, Default)]
pub(super) struct Starvation {
    /// The processor time it had used then.
    last: Option<(Instant, u64)>,
}

impl Starvation {
    /// Whether the thread has no turn, of a worker that is found to be silent: it would go on, and has not used most of the
    /// time since the last look, as one would that runs wild.
    pub(super) fn look(&mut self, now: Instant, seen: Option<Activity>) -> bool {
        let Some(seen) = seen.filter(|seen| matches!(seen.state, 'R' | 'D')) else {
            self.last = None;
            return false;
        };
        let last = self.last.replace((now, seen.cpu_ticks));
        last.is_none_or(|(then, before)| {
            let ticks = u32::try_from(seen.cpu_ticks.saturating_sub(before)).unwrap_or(u32::MAX);
            TICK.saturating_mul(ticks) < now.saturating_duration_since(then) / 2
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_a_turn_is_not_who_runs_wild() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let looks = |state, ticks: [u64; 3]| {
            let mut starvation = Starvation::default();
            [0, 1, 2].map(|n| {
                let seen = Some(Activity::new(state, ticks[n as usize]));
                starvation.look(start + n * second, seen)
            })
        };
        assert_eq!(looks('R', [7, 8, 20]), [true; 3]);
        assert_eq!(looks('D', [7, 7, 7]), [true; 3], "a slow disk");
        assert_eq!(looks('R', [7, 100, 200]), [true, false, false], "it spins");
        assert_eq!(
            looks('S', [7, 7, 7]),
            [false; 3],
            "it waits for nothing that comes"
        );
        assert!(!Starvation::default().look(start, None));
    }
}
