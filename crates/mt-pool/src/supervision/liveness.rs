//! Who has been silent for too long, and who gets no further.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Missed checks are counted, not elapsed time, and when the checks themselves come late everybody's
//! count starts over: a suspended laptop or an overloaded machine delays the watcher as much as the
//! watched, and nobody dies of it. Any frame counts as a sign of life.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mt_proto::{WorkerBeat, WorkerId};

/// A check that comes later than this many intervals after the last one counts for nothing.
const LATE_FACTOR: u32 = 2;

/// What the pool does with a worker that it finds wanting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Tells of it by a [`PoolEvent`](crate::PoolEvent), again and again, and leaves it alone.
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
    /// [`hard_deadline`](crate::AsynPmap::hard_deadline).
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

/// What a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Too many beats in a row are missing.
    Silent,
    /// It beats, has something to do, and is no further than at the last check. Whether it is at least
    /// busy is to be found out, and told with [`Liveness::on_busy`].
    Still,
}

/// The liveness machine of a run.
#[derive(Debug)]
pub struct Liveness {
    policy: LivenessPolicy,
    watched: BTreeMap<WorkerId, Pulse>,
    last_check: Option<Instant>,
}

#[derive(Debug, Default)]
struct Pulse {
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
    /// A machine that watches nobody yet.
    #[must_use]
    pub fn new(policy: LivenessPolicy) -> Self {
        Self {
            policy,
            watched: BTreeMap::new(),
            last_check: None,
        }
    }

    /// Watches a worker from now on.
    pub fn watch(&mut self, worker: WorkerId) {
        let heard = true;
        let pulse = Pulse {
            heard,
            ..Pulse::default()
        };
        self.watched.insert(worker, pulse);
    }

    /// Watches a worker no longer.
    pub fn forget(&mut self, worker: WorkerId) {
        self.watched.remove(&worker);
    }

    /// A worker sent something.
    pub fn heard(&mut self, worker: WorkerId) {
        if let Some(pulse) = self.watched.get_mut(&worker) {
            pulse.heard = true;
        }
    }

    /// A worker beat.
    pub fn on_beat(&mut self, worker: WorkerId, beat: WorkerBeat) {
        if let Some(pulse) = self.watched.get_mut(&worker) {
            pulse.beat = Some(beat);
        }
    }

    /// A worker that stood still at the check is busy all the same.
    pub fn on_busy(&mut self, worker: WorkerId) {
        if let Some(pulse) = self.watched.get_mut(&worker) {
            pulse.still = 0;
        }
    }

    /// Whether a worker counts as blocked. If so, it starts over.
    pub fn take_blocked(&mut self, worker: WorkerId) -> bool {
        let most = self.policy.blocked_checks;
        let Some(pulse) = self.watched.get_mut(&worker) else {
            return false;
        };
        let blocked = pulse.still >= most;
        if blocked {
            pulse.still = 0;
        }
        blocked
    }

    /// When to check next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.watched.is_empty() {
            return None;
        }
        self.last_check.map(|last| last + self.policy.interval)
    }

    /// Checks everybody if a check is due. Whoever is found silent starts over.
    pub fn check(&mut self, now: Instant) -> Vec<(WorkerId, Finding)> {
        let interval = self.policy.interval;
        let Some(last) = self.last_check.filter(|_| !self.watched.is_empty()) else {
            self.last_check = Some(now);
            return Vec::new();
        };
        let since = now.saturating_duration_since(last);
        if since < interval {
            return Vec::new();
        }
        self.last_check = Some(now);
        let late = since > interval * LATE_FACTOR;
        let most = self.policy.missed_beats;
        let mut found = Vec::new();
        for (worker, pulse) in &mut self.watched {
            let finding = pulse.check(late, most);
            found.extend(finding.map(|finding| (*worker, finding)));
        }
        found
    }
}

impl Pulse {
    fn check(&mut self, late: bool, most: u32) -> Option<Finding> {
        let heard = std::mem::take(&mut self.heard);
        if late {
            self.missed = 0;
            self.still = 0;
            return None;
        }
        if !heard {
            self.still = 0;
            self.missed += 1;
            if self.missed < most {
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

    const W: WorkerId = WorkerId(3);

    fn watched() -> (Liveness, Instant, Duration) {
        let policy = LivenessPolicy::default();
        let mut liveness = Liveness::new(policy);
        let start = Instant::now();
        liveness.watch(W);
        assert!(liveness.check(start).is_empty());
        (liveness, start, policy.interval)
    }

    #[test]
    fn five_silent_checks_are_too_many_and_four_are_not() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=5 {
            assert!(liveness.check(start + n * interval).is_empty(), "check {n}");
        }
        assert_eq!(liveness.check(start + 6 * interval), [(W, Finding::Silent)]);
    }

    #[test]
    fn a_sign_just_before_the_verdict_saves() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=5 {
            assert!(liveness.check(start + n * interval).is_empty());
        }
        liveness.heard(W);
        for n in 6..=10 {
            assert!(liveness.check(start + n * interval).is_empty());
        }
        assert_eq!(
            liveness.check(start + 11 * interval),
            [(W, Finding::Silent)]
        );
    }

    #[test]
    fn a_watcher_that_was_stopped_condemns_nobody() {
        let (mut liveness, start, interval) = watched();
        let mut now = start;
        for _ in 0..100 {
            now += 60 * interval;
            assert!(liveness.check(now).is_empty());
        }
    }

    #[test]
    fn an_early_check_is_no_check() {
        let (mut liveness, start, _) = watched();
        for n in 0..100 {
            assert!(
                liveness
                    .check(start + n * Duration::from_micros(1))
                    .is_empty()
            );
        }
    }

    #[test]
    fn nobody_to_watch_means_nothing_to_wake_up_for() {
        let (mut liveness, _, _) = watched();
        assert!(liveness.poll_timeout().is_some());
        liveness.forget(W);
        assert_eq!(liveness.poll_timeout(), None);
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
            liveness.heard(W);
            liveness.on_beat(W, *beat);
            found += liveness.check(from + n * interval).len();
        }
        (found, liveness.take_blocked(W))
    }

    #[test]
    fn who_beats_and_gets_no_further_is_blocked_after_its_checks() {
        let (mut liveness, start, _) = watched();
        assert_eq!(
            beats(&mut liveness, start, &[beat(3, 2, 7); 61]),
            (60, true)
        );
        assert!(!liveness.take_blocked(W), "it starts over");
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
        liveness.on_busy(W);
        assert!(!liveness.take_blocked(W));
    }
}
