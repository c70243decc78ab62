//! Who has been silent for too long, and who gets no further.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Missed checks are counted, not elapsed time, and when the checks themselves come late everybody's
//! count starts over: a suspended laptop or an overloaded machine delays the watcher as much as the
//! watched, and nobody dies of it. Any frame counts as a sign of life.

use std::time::{Duration, Instant};

use mt_proto::WorkerBeat;

/// A check that comes later than this many intervals after the last one counts for nothing.
const LATE_FACTOR: u32 = 2;

/// What the pool does with a worker that it finds wanting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Tells of it by a [`PoolEvent`](crate::events::PoolEvent), again and again, and leaves it alone.
    Report,
    /// Kills it; what it ran is treated as after any death.
    Kill,
}

/// When a worker counts as frozen, stopped or blocked, and what is done then.
///
/// A worker beats from a thread of its own, which no task can hold up, and tells how far it is. So these
/// are told apart: *frozen*, no beats at all; *stopped*, no beats because somebody has stopped the process
/// (`SIGSTOP`, a debugger); *blocked*, beats but no progress; *busy*, everything else. For a plain `fn`,
/// which runs one call at a time, no progress means that the call goes on and uses no processor time; for
/// an `async fn`, that a call does not give the runtime back, whatever it does meanwhile.
///
/// Missed checks in a row are counted, not time; when a check itself comes late, everybody's count starts
/// over, so that a suspended machine, a stopped parent or an overloaded processor condemns nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LivenessPolicy {
    /// How often a worker beats, and how often it is checked. Default 0.5 s, as in the seed.
    pub interval: Duration,
    /// The checks in a row it may miss. Default 5. (The seed waits 5 × 240 of its loops.)
    pub missed_beats: u32,
    /// What is done with a frozen worker. Default: it is killed.
    pub frozen: Verdict,
    /// What is done with a stopped one. Default: it is reported.
    pub stopped: Verdict,
    /// The checks in a row without progress after which a worker counts as blocked. Default 60: 30 s.
    pub blocked_checks: u32,
    /// What is done with a blocked worker. Default: it is reported. For a limit on each call see
    /// [`hard_deadline`](crate::limits::Deadlines::hard).
    pub blocked: Verdict,
}

impl Default for LivenessPolicy {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(500),
            missed_beats: 5,
            frozen: Verdict::Kill,
            stopped: Verdict::Report,
            blocked_checks: 60,
            blocked: Verdict::Report,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// Too many beats in a row are missing.
    Silent,
    /// The worker beats, has something to do, and is no further than at the last check. Whether it is at least
    /// busy is to be found out, and told with [`Liveness::on_busy`].
    Still,
}

#[derive(Debug)]
pub(super) struct Liveness {
    policy: LivenessPolicy,
    last_check: Instant,
    heard: bool,
    missed: u32,
    /// How far it was when it last beat.
    beat: Option<WorkerBeat>,
    /// How far it was at the last check.
    checked: Option<WorkerBeat>,
    /// The checks since it last got any further.
    still: u32,
}

impl Liveness {
    /// The machine of a worker that has just said something.
    pub(super) fn new(policy: LivenessPolicy, now: Instant) -> Self {
        Self {
            policy,
            last_check: now,
            heard: true,
            missed: 0,
            beat: None,
            checked: None,
            still: 0,
        }
    }

    pub(super) fn heard(&mut self) {
        self.heard = true;
    }

    pub(super) fn on_beat(&mut self, beat: WorkerBeat) {
        self.beat = Some(beat);
    }

    /// The worker stood still at the check, and is busy all the same.
    pub(super) fn on_busy(&mut self) {
        self.still = 0;
    }

    /// Whether the worker counts as blocked. If so, its count starts over.
    pub(super) fn take_blocked(&mut self) -> bool {
        let blocked = self.still >= self.policy.blocked_checks;
        if blocked {
            self.still = 0;
        }
        blocked
    }

    /// Checks the worker if a check is due. When it is found silent, its count starts over.
    pub(super) fn check(&mut self, now: Instant) -> Option<Finding> {
        let interval = self.policy.interval;
        let since = now.saturating_duration_since(self.last_check);
        if since < interval {
            return None;
        }
        self.last_check = now;
        let heard = std::mem::take(&mut self.heard);
        if since > interval * LATE_FACTOR {
            self.missed = 0;
            self.still = 0;
            return None;
        }
        if !heard {
            self.still = 0;
            self.missed += 1;
            if self.missed < self.policy.missed_beats {
                return None;
            }
            self.missed = 0;
            return Some(Finding::Silent);
        }
        self.missed = 0;
        let still = self.beat.is_some_and(|beat| {
            beat.started > beat.finished && self.checked.is_some_and(|before| before == beat)
        });
        self.checked = self.beat;
        self.still = if still { self.still + 1 } else { 0 };
        still.then_some(Finding::Still)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> (Liveness, Instant, Duration) {
        let policy = LivenessPolicy::default();
        let start = Instant::now();
        (Liveness::new(policy, start), start, policy.interval)
    }

    #[test]
    fn five_silent_checks_are_too_many_and_four_are_not() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=5 {
            assert_eq!(liveness.check(start + n * interval), None, "check {n}");
        }
        assert_eq!(liveness.check(start + 6 * interval), Some(Finding::Silent));
    }

    #[test]
    fn a_sign_just_before_the_verdict_saves() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=5 {
            assert_eq!(liveness.check(start + n * interval), None);
        }
        liveness.heard();
        for n in 6..=10 {
            assert_eq!(liveness.check(start + n * interval), None);
        }
        assert_eq!(liveness.check(start + 11 * interval), Some(Finding::Silent));
    }

    #[test]
    fn a_watcher_that_was_stopped_condemns_nobody() {
        let (mut liveness, start, interval) = watched();
        let mut now = start;
        for _ in 0..100 {
            now += 60 * interval;
            assert_eq!(liveness.check(now), None);
        }
    }

    #[test]
    fn an_early_check_is_no_check() {
        let (mut liveness, start, _) = watched();
        for n in 0..100 {
            assert_eq!(liveness.check(start + n * Duration::from_micros(1)), None);
        }
    }

    fn beat(started: u64, finished: u64, turns: u64) -> WorkerBeat {
        WorkerBeat {
            beat: mt_proto::Beat::Alive,
            started,
            finished,
            turns,
        }
    }

    /// Beats and checks so many times; how often it was found to stand still, and whether it is blocked.
    fn beats(liveness: &mut Liveness, from: Instant, told: &[WorkerBeat]) -> (usize, bool) {
        let interval = LivenessPolicy::default().interval;
        let mut found = 0;
        for (n, beat) in (1..).zip(told) {
            liveness.heard();
            liveness.on_beat(*beat);
            found += liveness.check(from + n * interval).iter().count();
        }
        (found, liveness.take_blocked())
    }

    #[test]
    fn who_beats_and_gets_no_further_is_blocked_after_its_checks() {
        let (mut liveness, start, _) = watched();
        assert_eq!(
            beats(&mut liveness, start, &[beat(3, 2, 7); 61]),
            (60, true)
        );
        assert!(!liveness.take_blocked(), "it starts over");
    }

    #[test]
    fn progress_of_any_kind_is_none() {
        let (mut liveness, start, _) = watched();
        let idle = [beat(3, 3, 7); 100];
        assert_eq!(beats(&mut liveness, start, &idle), (0, false));
        let (mut liveness, start, _) = watched();
        let turning: Vec<_> = (0..100).map(|turns| beat(3, 2, turns)).collect();
        assert_eq!(beats(&mut liveness, start, &turning), (0, false));
        let (mut liveness, start, _) = watched();
        let starting: Vec<_> = (0..100).map(|n| beat(n + 1, n, 7)).collect();
        assert_eq!(beats(&mut liveness, start, &starting), (0, false));
    }

    #[test]
    fn who_is_busy_is_not_blocked() {
        let (mut liveness, start, _) = watched();
        beats(&mut liveness, start, &[beat(1, 0, 0); 60]);
        liveness.on_busy();
        assert!(!liveness.take_blocked());
    }
}
