//! How long to wait for a worker's hello.

use std::time::Duration;

use mt_ipc::Activity;
use tokio::time::Instant;

/// How often a silent worker is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The looks in a row at which a worker does nothing after which its program is looked at.
const IDLE_LOOKS: u32 = 3;
/// The look at which a worker is first told of that has not said hello: 2 s. Told again at twice as many.
const FIRST_SLOW: u32 = 10;

/// Waits for a worker's hello.
///
/// Slow is not dead: a constructor that sleeps, a file system that takes its time and a busy machine look alike from
/// outside, so there is a limit of some length, and a word before. Looks are counted, not time, and a look at a process
/// that somebody has stopped does not count: while this process, or the machine, was stopped, nobody was waited for.
///
/// One thing is told apart: a program that does not contain this library can't say hello.
#[derive(Debug)]
pub(super) struct HelloTimeout {
    next_look: Instant,
    /// The looks that have counted.
    looks: u32,
    /// The looks at which the wait is over.
    most: u32,
    last: Option<Activity>,
    idle: u32,
}

/// What a look has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HelloLook {
    /// Nothing to tell.
    Wait,
    /// There was no word for so long, and there may still be.
    Slow(Duration),
    /// The limit is reached: there was no word for so long.
    GiveUp(Duration),
    /// The program that runs can't say hello.
    Foreign,
}

impl HelloTimeout {
    pub(super) fn new(now: Instant, limit: Duration) -> Self {
        let most = limit.as_nanos().div_ceil(LOOK.as_nanos());
        Self {
            next_look: now + LOOK,
            looks: 0,
            most: u32::try_from(most).unwrap_or(u32::MAX),
            last: None,
            idle: 0,
        }
    }

    pub(super) fn due(&self) -> Instant {
        self.next_look
    }

    /// Looks at the process, and, when it has done nothing for a while, by `can_speak` at its program.
    pub(super) fn look(
        &mut self,
        now: Instant,
        seen: Option<Activity>,
        can_speak: impl FnOnce() -> bool,
    ) -> HelloLook {
        self.next_look = now + LOOK;
        let last = std::mem::replace(&mut self.last, seen);
        if seen.is_some_and(|seen| matches!(seen.state, 'T' | 't')) {
            return HelloLook::Wait;
        }
        self.looks += 1;
        let asleep = seen.is_some_and(|seen| seen.state == 'S');
        self.idle = if asleep && seen == last {
            self.idle + 1
        } else {
            0
        };
        let waited = LOOK * self.looks;
        // Once for every time that it goes idle: a shell may have become another program since.
        if self.idle == IDLE_LOOKS && !can_speak() {
            return HelloLook::Foreign;
        }
        if self.looks >= self.most {
            return HelloLook::GiveUp(waited);
        }
        let doubled = self.looks / FIRST_SLOW;
        let is_slow = self.looks.is_multiple_of(FIRST_SLOW) && doubled.is_power_of_two();
        match is_slow {
            true => HelloLook::Slow(waited),
            false => HelloLook::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn activity(state: char, cpu_ticks: u64) -> Option<Activity> {
        Some(Activity::new(state, cpu_ticks))
    }

    /// What comes of looks at a process that is as `seen` says at each.
    fn looks(
        count: u64,
        seen: impl Fn(u64) -> Option<Activity>,
        can_speak: bool,
        between: Duration,
    ) -> Vec<(u64, HelloLook)> {
        let start = Instant::now();
        let mut hello = HelloTimeout::new(start, LIMIT);
        let look = |n: u64| {
            let now = start + between * n as u32;
            (n, hello.look(now, seen(n), || can_speak))
        };
        let told = (1..=count).map(look);
        told.filter(|(_, look)| *look != HelloLook::Wait).collect()
    }

    /// Case 17: A worker that is slow to start is told of after 2, 4, 8 and 16 s and given up after the limit, 30 s, asleep or not.
    #[test]
    fn the_slow_are_told_of_and_waited_for() {
        for state in ['S', 'D', 'R'] {
            let told = looks(150, |_| activity(state, 7), true, LOOK);
            let slow = |n: u32| (u64::from(n), HelloLook::Slow(LOOK * n));
            let end = (150, HelloLook::GiveUp(LIMIT));
            assert_eq!(told, [slow(10), slow(20), slow(40), slow(80), end]);
        }
    }

    /// Case 17: A program without this library is known at once when it does nothing, and is waited for while it does something.
    #[test]
    fn a_program_that_can_not_speak_is_known_when_it_does_nothing() {
        let told = looks(4, |_| activity('S', 7), false, LOOK);
        assert_eq!(told, [(4, HelloLook::Foreign)]);
        assert_eq!(looks(9, |n| activity('S', n), false, LOOK), []);
        assert_eq!(looks(9, |_| None, false, LOOK), []);
    }

    /// Case 17: The time in which the parent itself was stopped does not count against a worker that starts.
    #[test]
    fn a_parent_that_was_stopped_gives_nobody_up() {
        let told = looks(9, |_| activity('S', 7), true, Duration::from_secs(60));
        assert_eq!(told, []);
    }

    #[test]
    fn whoever_was_stopped_is_waited_for() {
        assert_eq!(looks(1000, |_| activity('T', 7), true, LOOK), []);
    }
}
