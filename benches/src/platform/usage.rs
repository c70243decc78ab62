//! What this process, its threads that have ended included, and the processes it has waited for have used.
#![expect(unsafe_code, reason = "the calls of the system are in libc")]

use std::{mem::MaybeUninit, time::Duration};

/// The context switches of this process, and of those that it has waited for.
pub(crate) fn context_switches() -> u64 {
    let both = [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].map(usage);
    let switches = both.map(|usage| usage.ru_nvcsw + usage.ru_nivcsw);
    switches.iter().sum::<libc::c_long>() as u64
}

/// How often threads of this process, and of those that it has waited for, have given up the processor to wait: each
/// time, something had to wake them.
#[must_use]
pub fn wakeups() -> u64 {
    let both = [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].map(usage);
    both.iter().map(|usage| usage.ru_nvcsw as u64).sum()
}

/// The processor time of this process alone.
pub(crate) fn processor_time() -> Duration {
    let usage = usage(libc::RUSAGE_SELF);
    [usage.ru_utime, usage.ru_stime]
        .map(|time| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000))
        .iter()
        .sum()
}

fn usage(whose: libc::c_int) -> libc::rusage {
    let mut usage = MaybeUninit::zeroed();
    // SAFETY: the pointer is to a `rusage` of ours.
    unsafe { libc::getrusage(whose, usage.as_mut_ptr()) };
    // SAFETY: numbers alone, which are valid when they are zero too.
    unsafe { usage.assume_init() }
}
