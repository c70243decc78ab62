//! The thread that looks at the processors, so that nobody who asks has to wait.

use std::{
    sync::{Arc, Condvar, Mutex, OnceLock, PoisonError},
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
    static SAMPLER: OnceLock<Arc<Sampler>> = OnceLock::new();
    let sampler = SAMPLER.get_or_init(|| {
        let sampler = Arc::new(Sampler::default());
        let looking = Arc::clone(&sampler);
        // Without a thread the answers are the load average's.
        let _ = thread::Builder::new()
            .name("mt-load".into())
            .spawn(move || looking.look_for_ever());
        sampler
    });
    sampler.ask().or_else(recent_load)
}

/// What the thread and those who ask share.
#[derive(Debug, Default)]
struct Sampler {
    state: Mutex<Answer>,
    asked: Condvar,
}

#[derive(Debug, Default)]
struct Answer {
    /// What it saw last; nothing while it rests.
    used: Option<f64>,
    last_asked: Option<Instant>,
}

impl Sampler {
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
        let sampler = Sampler::default();
        assert_eq!(sampler.ask(), None);
        let now = Instant::now();
        assert!(sampler.answer(Some(0.5), now));
        assert_eq!(sampler.ask(), Some(0.5));
        assert!(sampler.answer(None, now), "no time has passed");
        assert_eq!(sampler.ask(), Some(0.5));
    }

    #[test]
    fn nobody_gets_an_old_answer() {
        let sampler = Sampler::default();
        sampler.ask();
        let now = Instant::now();
        assert!(sampler.answer(Some(0.5), now));
        assert!(!sampler.answer(Some(0.6), now + 2 * REST_AFTER));
        assert_eq!(sampler.ask(), None);
        sampler.rest();
        assert!(sampler.answer(Some(0.7), Instant::now()));
        assert_eq!(sampler.ask(), Some(0.7));
    }

    #[test]
    fn the_first_answer_is_one_and_the_next_come_from_the_thread() {
        let fraction = used_fraction().expect("the systems that tests run on tell");
        assert!((0.0..=1.0).contains(&fraction), "{fraction}");
    }
}
