//! The thread that looks at the processors, so that nobody who asks has to wait.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use super::proc::{CpuMeter, recent_load};
#[cfg(not(target_os = "linux"))]
use super::system::{CpuMeter, recent_load};
use crate::lock::lock;

/// How long after the first look the second comes, with which there is an answer.
const FIRST: Duration = Duration::from_millis(100);
/// How often it looks after that: the time that an answer is about.
const PERIOD: Duration = Duration::from_millis(500);
/// How long nobody has to ask until it stops looking.
const REST_AFTER: Duration = Duration::from_secs(10);

/// The part of the machine's processor time that is used, 0 to 1; `None` where the system does not
/// tell. Never waits.
pub(super) fn used_fraction() -> Option<f64> {
    // Without a thread the answer is the load average's, and the next who asks tries again to start one.
    sampler().and_then(Sampler::ask).or_else(recent_load)
}

fn sampler() -> Option<&'static Sampler> {
    static SAMPLER: Sampler = Sampler::new();
    static LOOKS: Mutex<bool> = Mutex::new(false);
    let mut looks = lock(&LOOKS);
    if !*looks {
        let thread = thread::Builder::new().name("mt-load".into());
        *looks = thread.spawn(|| SAMPLER.look_for_ever()).is_ok();
    }
    looks.then_some(&SAMPLER)
}

/// What the thread and those who ask share.
#[derive(Debug)]
struct Sampler {
    state: Mutex<Answer>,
    asked: Condvar,
}

#[derive(Debug)]
struct Answer {
    /// What it saw last; nothing while it rests.
    used: Option<f64>,
    last_asked: Option<Instant>,
}

impl Sampler {
    const fn new() -> Self {
        Self {
            state: Mutex::new(Answer {
                used: None,
                last_asked: None,
            }),
            asked: Condvar::new(),
        }
    }

    /// Asks for the last answer and wakes the thread if it rests.
    fn ask(&self) -> Option<f64> {
        let mut state = lock(&self.state);
        state.last_asked = Some(Instant::now());
        self.asked.notify_one();
        state.used
    }

    fn look_for_ever(&self) {
        loop {
            self.rest();
            let mut meter = CpuMeter::new();
            thread::sleep(FIRST);
            while self.answer(meter.look(), Instant::now()) {
                thread::sleep(PERIOD);
            }
        }
    }

    fn rest(&self) {
        let unasked = |state: &mut Answer| state.last_asked.is_none();
        let state = self.asked.wait_while(lock(&self.state), unasked);
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }

    /// Keeps an answer; false when nobody wants one any more.
    fn answer(&self, used: Option<f64>, now: Instant) -> bool {
        let mut state = lock(&self.state);
        let asked = state.last_asked.filter(|&asked| now < asked + REST_AFTER);
        state.last_asked = asked;
        // Without a new one the last stands; an old one must not.
        state.used = asked.and(used.or(state.used));
        asked.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_while_somebody_asks() {
        let sampler = Sampler::new();
        assert_eq!(sampler.ask(), None);
        let now = Instant::now();
        assert!(sampler.answer(Some(0.5), now));
        assert_eq!(sampler.ask(), Some(0.5));
        assert!(sampler.answer(None, now), "no time has passed");
        assert_eq!(sampler.ask(), Some(0.5));
    }

    #[test]
    fn nobody_gets_an_old_answer() {
        let sampler = Sampler::new();
        sampler.ask();
        let now = Instant::now();
        assert!(sampler.answer(Some(0.5), now));
        assert!(!sampler.answer(Some(0.6), now + 2 * REST_AFTER));
        assert_eq!(sampler.ask(), None);
        sampler.rest();
        assert!(sampler.answer(Some(0.7), Instant::now()));
        assert_eq!(sampler.ask(), Some(0.7));
    }

    /// Case M113: `used_cpu_too_much` has an answer at once, and never waits.
    #[test]
    fn the_first_answer_is_one_and_the_next_come_from_the_thread() {
        let fraction = used_fraction().expect("the systems that tests run on tell");
        assert!((0.0..=1.0).contains(&fraction), "{fraction}");
    }
}
