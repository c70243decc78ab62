//! Who has been silent for too long, and who gets no further.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! Missed checks are counted, not elapsed time, and when the checks themselves come late everybody's
//! count starts over: a suspended laptop or an overloaded machine delays the watcher as much as the
//! watched, and nobody dies of it. Any frame counts as a sign of life.

use std::time::{Duration, Instant};

use mt_proto::WorkerBeat;

use super::death::DeathCause;

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
/// (`SIGSTOP`, a debugger); *dying*, no beats because the system writes its core dump or frees its memory; *starved*, no beats
/// because the thread that beats waits for a processor that others have (Linux); *blocked*, beats but no progress; *busy*, everything else. For a plain `fn`,
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
    /// The checks in a row that a starved worker may miss: it is told of, and counts as frozen after so many. Default 120:
    /// 60 s. At least [`missed_beats`](Self::missed_beats) has the effect that it is told of once.
    pub starved_checks: u32,
    /// The checks in a row without progress after which a worker counts as blocked. Default 60: 30 s.
    pub blocked_checks: u32,
    /// What is done with a blocked worker. Default: it is reported. For a limit on each call see
    /// [`Deadlines::hard`](crate::limits::Deadlines::hard). A worker that runs no call and is blocked all the same, by
    /// what a call has spawned on its runtime and left behind, is killed, whatever is said here: what it has been given
    /// and can't begin is done by others.
    pub blocked: Verdict,
    /// How long a worker that is dying, and dumps core, is waited for, whatever it was to be killed for meanwhile, unless its run or
    /// hive is over: it has died by itself, and its core would be cut. Counted from when it was found at that. Default
    /// 60 s, in which a slow disk takes some gigabytes; zero never waits.
    pub core_dump: Duration,
}

impl Default for LivenessPolicy {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(500),
            missed_beats: 5,
            frozen: Verdict::Kill,
            stopped: Verdict::Report,
            starved_checks: 120,
            blocked_checks: 60,
            blocked: Verdict::Report,
            core_dump: Duration::from_secs(60),
        }
    }
}

/// Whether a worker gives signs of life, and gets any further, as [`LivenessPolicy`] has it. Judged once an
/// interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// There is nothing to say against it.
    Well,
    /// Somebody has stopped its process, and it has missed its beats.
    Stopped,
    /// The worker is dying by itself: it has missed its beats because the system writes its core dump, or frees its memory.
    Dying,
    /// The worker has missed its beats because its thread that beats has no turn on a processor.
    Starved,
    /// The worker has missed its beats for another reason.
    Frozen,
    /// The worker beats, and gets no further.
    Blocked {
        /// For how long, at least.
        since: Duration,
    },
}

impl Health {
    /// Whether there are no signs of life.
    #[must_use]
    pub fn is_silent(self) -> bool {
        match self {
            Self::Stopped | Self::Dying | Self::Starved | Self::Frozen => true,
            Self::Well | Self::Blocked { .. } => false,
        }
    }
}

/// Why a worker does not beat, as far as the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    Stopped,
    Dying,
    Starved,
    /// What it has said has not been taken in.
    Over,
    Unexplained,
}

#[derive(Debug)]
pub(super) struct Liveness {
    policy: LivenessPolicy,
    last_check: Instant,
    heard: bool,
    missed: u32,
    /// The checks missed in a row because it had no turn.
    starved: u32,
    /// How far it was when it last beat.
    beat: Option<WorkerBeat>,
    /// How far it was at the last check.
    checked: Option<WorkerBeat>,
    /// The checks since it last got any further.
    still: u32,
    health: Health,
}

impl Liveness {
    /// The machine of a worker that has just said something.
    pub(super) fn new(policy: LivenessPolicy, now: Instant) -> Self {
        Self {
            policy,
            last_check: now,
            heard: true,
            missed: 0,
            starved: 0,
            beat: None,
            checked: None,
            still: 0,
            health: Health::Well,
        }
    }

    /// How long it may dump core.
    pub(super) fn core_dump(&self) -> Duration {
        self.policy.core_dump
    }

    /// How often the worker is to beat.
    pub(super) fn interval(&self) -> Duration {
        self.policy.interval
    }

    /// The worker said something. True when it is well again by that.
    pub(super) fn heard(&mut self) -> bool {
        self.heard = true;
        let again = self.health.is_silent();
        if again {
            self.health = Health::Well;
        }
        again
    }

    pub(super) fn on_beat(&mut self, beat: WorkerBeat) {
        self.beat = Some(beat);
    }

    /// Judges the worker if that is due. `why_silent` and `was_busy` are asked for when they matter: why the process
    /// does not beat, and whether it has done something since that was last asked. Returns its health, which
    /// is told even if it is what was found before, unless the worker is well; and what it is to be killed for.
    pub(super) fn check(
        &mut self,
        now: Instant,
        why_silent: impl FnOnce() -> Silence,
        was_busy: impl FnOnce() -> bool,
    ) -> (Option<Health>, Option<DeathCause>) {
        let LivenessPolicy {
            interval,
            blocked_checks,
            ..
        } = self.policy;
        let since = now.saturating_duration_since(self.last_check);
        // Not a whole one: a check that comes a little sooner than the last one did is due all the same, and leaving it
        // out would make the next one late.
        if since < interval / 2 {
            return self.no_finding();
        }
        self.last_check = now;
        let heard = std::mem::take(&mut self.heard);
        if since > interval * LATE_FACTOR {
            (self.missed, self.still) = (0, 0);
            return self.no_finding();
        }
        if !heard {
            return self.on_missed(why_silent);
        }
        (self.missed, self.starved) = (0, 0);
        let before = std::mem::replace(&mut self.checked, self.beat);
        let works = |beat: WorkerBeat| beat.started > beat.finished || beat.turns > 0;
        if !self.beat.is_some_and(works) || before != self.beat {
            self.still = 0;
            return self.no_finding();
        }
        self.still = if was_busy() { 0 } else { self.still + 1 };
        if self.still < blocked_checks {
            return (None, None);
        }
        self.still = 0;
        let since = interval.saturating_mul(blocked_checks);
        let runs = self.beat.is_some_and(|beat| beat.started > beat.finished);
        let verdict = if runs {
            self.policy.blocked
        } else {
            Verdict::Kill
        };
        self.finding(Health::Blocked { since }, verdict, DeathCause::Blocked)
    }

    /// The worker has said nothing since the last check.
    fn on_missed(
        &mut self,
        why_silent: impl FnOnce() -> Silence,
    ) -> (Option<Health>, Option<DeathCause>) {
        let LivenessPolicy {
            missed_beats,
            starved_checks,
            ..
        } = self.policy;
        self.still = 0;
        self.missed += 1;
        if self.missed < missed_beats {
            return self.no_finding();
        }
        let missed = std::mem::take(&mut self.missed);
        let (health, verdict) = match why_silent() {
            Silence::Stopped => (Health::Stopped, self.policy.stopped),
            // How long that may take is for whoever ends it.
            Silence::Dying => (Health::Dying, Verdict::Report),
            Silence::Starved if self.starved < starved_checks => {
                self.starved = self.starved.saturating_add(missed);
                (Health::Starved, Verdict::Report)
            }
            Silence::Over => return self.no_finding(),
            Silence::Starved | Silence::Unexplained => (Health::Frozen, self.policy.frozen),
        };
        self.finding(health, verdict, DeathCause::Frozen)
    }

    fn finding(
        &mut self,
        health: Health,
        verdict: Verdict,
        cause: DeathCause,
    ) -> (Option<Health>, Option<DeathCause>) {
        self.health = health;
        (Some(health), (verdict == Verdict::Kill).then_some(cause))
    }

    /// Whoever was blocked is no longer.
    fn no_finding(&mut self) -> (Option<Health>, Option<DeathCause>) {
        let again = matches!(self.health, Health::Blocked { .. });
        if again {
            self.health = Health::Well;
        }
        (again.then_some(Health::Well), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNEXPLAINED: Silence = Silence::Unexplained;

    fn watched() -> (Liveness, Instant, Duration) {
        let policy = LivenessPolicy::default();
        let start = Instant::now();
        (Liveness::new(policy, start), start, policy.interval)
    }

    fn check(liveness: &mut Liveness, now: Instant) -> Option<Health> {
        let (health, _) = liveness.check(now, || UNEXPLAINED, || unreachable!("it does not beat"));
        health
    }

    /// Case M106: A worker may miss four beats, and is frozen at the fifth.
    #[test]
    fn five_silent_checks_are_too_many_and_four_are_not() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=5 {
            assert_eq!(
                check(&mut liveness, start + n * interval),
                None,
                "check {n}"
            );
        }
        let sixth = liveness.check(start + 6 * interval, || UNEXPLAINED, || false);
        assert_eq!(sixth, (Some(Health::Frozen), Some(DeathCause::Frozen)));
    }

    /// Case 9: A worker that is silent because it is dying is told of, and not killed for it.
    #[test]
    fn who_is_dying_is_not_frozen() {
        for (silence, health) in [
            (Silence::Dying, Health::Dying),
            (Silence::Stopped, Health::Stopped),
        ] {
            let (mut liveness, start, interval) = watched();
            for n in 1..=20 {
                let (found, kill) = liveness.check(start + n * interval, || silence, || false);
                assert_eq!(kill, None);
                assert!(found.is_none_or(|found| found == health));
            }
            assert!(liveness.heard(), "it was silent");
        }
    }

    /// Case 17: A worker whose sign of life has come just before the verdict, and was not taken in yet, is not frozen.
    #[test]
    fn who_has_spoken_and_was_not_heard_is_not_frozen() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=20 {
            let found = liveness.check(start + n * interval, || Silence::Over, || false);
            assert_eq!(found, (None, None), "check {n}");
        }
    }

    /// Case 17: A worker that has no turn on a processor is told of, and counts as frozen after a limit, 60 s.
    #[test]
    fn who_has_no_turn_is_not_frozen() {
        let (mut liveness, start, interval) = watched();
        let ends = (1..).find(|n| {
            let (health, kill) =
                liveness.check(start + *n * interval, || Silence::Starved, || false);
            let expected = kill.as_ref().map_or(Health::Starved, |_| Health::Frozen);
            assert!(health.is_none_or(|health| health == expected));
            kill.is_some()
        });
        assert_eq!(ends, Some(1 + 120 + 5), "the next look after 60 s");
    }

    #[test]
    fn a_sign_just_before_the_verdict_saves() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=10 {
            assert_eq!(check(&mut liveness, start + n * interval), None);
            if n == 5 {
                liveness.heard();
            }
        }
        let last = check(&mut liveness, start + 11 * interval);
        assert_eq!(last, Some(Health::Frozen));
    }

    /// Case M107: A check that comes late condemns nobody.
    #[test]
    fn a_watcher_that_was_stopped_condemns_nobody() {
        let (mut liveness, start, interval) = watched();
        for n in 1..=100 {
            assert_eq!(check(&mut liveness, start + n * 60 * interval), None);
        }
    }

    /// Case 17: A machine on which checks come now a little sooner and now a little later judges as any other.
    #[test]
    fn checks_that_come_unevenly_count() {
        let (mut liveness, start, interval) = watched();
        let mut found = Vec::new();
        for n in 1..=12 {
            let early = Duration::from_millis(if n % 2 == 0 { 40 } else { 0 });
            found.extend(check(&mut liveness, start + n * interval - early));
        }
        assert_eq!(found, [Health::Frozen; 2]);
    }

    #[test]
    fn an_early_check_is_no_check() {
        let (mut liveness, start, _) = watched();
        for n in 0..100 {
            let now = start + n * Duration::from_micros(1);
            assert_eq!(check(&mut liveness, now), None);
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

    /// Beats and is checked so many times; how often it was found to stand still, and to be blocked.
    fn beats(told: impl IntoIterator<Item = WorkerBeat>, was_busy: bool) -> (usize, usize) {
        let (mut liveness, start, interval) = watched();
        let (mut still, mut blocked) = (0, 0);
        for (n, beat) in (1..).zip(told) {
            liveness.heard();
            liveness.on_beat(beat);
            let busy = || {
                still += 1;
                was_busy
            };
            let (health, kill) = liveness.check(start + n * interval, || UNEXPLAINED, busy);
            blocked += usize::from(matches!(health, Some(Health::Blocked { .. })));
            assert_eq!(kill, None, "it is only told of");
        }
        (still, blocked)
    }

    #[test]
    fn who_beats_and_gets_no_further_is_blocked_after_its_checks() {
        assert_eq!(beats([beat(3, 2, 7); 60], false), (59, 0));
        assert_eq!(beats([beat(3, 2, 7); 61], false), (60, 1));
        assert_eq!(
            beats([beat(3, 2, 7); 120], false),
            (119, 1),
            "it starts over"
        );
    }

    #[test]
    fn progress_of_any_kind_is_none() {
        assert_eq!(beats([beat(3, 3, 0); 100], false), (0, 0));
        assert_eq!(
            beats((0..100).map(|turns| beat(3, 2, turns)), false),
            (0, 0)
        );
        assert_eq!(beats((0..100).map(|n| beat(n + 1, n, 7)), false), (0, 0));
    }

    /// Case 16: A worker whose thread is held by what no call is running for is killed, though blocked ones are only told of.
    #[test]
    fn who_is_blocked_without_a_call_is_killed() {
        let (mut liveness, start, interval) = watched();
        let mut ends = Vec::new();
        for n in 1..=61 {
            liveness.heard();
            liveness.on_beat(beat(3, 3, 7));
            let (health, kill) = liveness.check(start + n * interval, || UNEXPLAINED, || false);
            ends.extend(health.zip(kill));
        }
        let since = 60 * interval;
        assert_eq!(ends, [(Health::Blocked { since }, DeathCause::Blocked)]);
    }

    #[test]
    fn who_is_busy_is_not_blocked() {
        assert_eq!(beats([beat(1, 0, 0); 100], true), (99, 0));
    }
}
