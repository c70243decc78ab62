//! Telling somebody how far a run is, while its outcomes are taken.

use std::time::{Duration, Instant};

use mt_proto::{Kept, guarded};

use crate::stats::RunProgress;

/// Calls that follow each other more quickly come after twice as many outcomes.
const TOO_SOON: Duration = Duration::from_millis(10);
/// Calls that follow each other more slowly come after half as many.
const TOO_LATE: Duration = Duration::from_millis(50);
/// The most outcomes between two calls.
const LONGEST_STRIDE: u32 = 256;

type ProgressCall = Box<dyn FnMut(&RunProgress) + Send>;

pub(super) struct ProgressHook {
    call: Kept<ProgressCall>,
    /// How many outcomes there are between two calls.
    stride: u32,
    /// Outcomes since the last call.
    walked: u32,
    last: Option<Instant>,
}

impl ProgressHook {
    pub(super) fn new(call: ProgressCall) -> Self {
        Self {
            call: Kept::new(call),
            stride: 1,
            walked: 0,
            last: None,
        }
    }

    /// One more outcome was taken; true when it is time for a call.
    #[inline]
    pub(super) fn step(&mut self) -> bool {
        self.walked += 1;
        self.walked >= self.stride
    }

    pub(super) fn is_behind(&self) -> bool {
        self.walked > 0
    }

    pub(super) fn call(&mut self, progress: &RunProgress) {
        self.turn(Instant::now());
        let _ = guarded(|| (self.call)(progress));
    }

    fn turn(&mut self, now: Instant) {
        let since = self.last.map(|last| now.saturating_duration_since(last));
        if since.is_some_and(|since| since < TOO_SOON) && self.walked >= self.stride {
            self.stride = (self.stride * 2).min(LONGEST_STRIDE);
        } else if since.is_some_and(|since| since > TOO_LATE) {
            self.stride = (self.stride / 2).max(1);
        }
        self.walked = 0;
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pause_micros: u64, outcomes: u32, most_calls: u32, least_calls: u32) {
        let start = Instant::now();
        let mut hook = ProgressHook::new(Box::new(|_| {}));
        let mut calls = 0;
        for n in 0..outcomes {
            if hook.step() {
                let at = Duration::from_micros(pause_micros) * n;
                hook.turn(start + at);
                calls += 1;
            }
        }
        assert!((least_calls..=most_calls).contains(&calls), "{calls} calls");
    }

    /// Case M78: Quick outcomes are told of by up to 256, and slow ones each.
    #[test]
    fn quick_outcomes_are_told_in_strides_and_slow_ones_each() {
        check(0, 256 * 100, 110, 100);
        // A millisecond each: about every 10 to 20 of them.
        check(1_000, 1000, 105, 60);
        check(1_000_000, 100, 100, 100);
    }
}
