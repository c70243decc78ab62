//! How much a process gives way to others where processors are scarce.

use std::{fs, io};

use rustix::{
    io::Errno,
    process::{Pid, getpriority_process, setpriority_process},
};

/// The niceness of this process, as the current thread has it: −20 to 19, 0 for most. A process that it starts has the
/// same.
#[must_use]
pub fn own_niceness() -> i32 {
    getpriority_process(None).unwrap_or(0)
}

/// Sets that of this process: of all threads that it has by now, and so of those that they start.
pub(super) fn set_niceness(niceness: u8) -> io::Result<()> {
    let niceness = i32::from(niceness);
    // Where the system has one for each thread, it lists them.
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let threads = threads.filter_map(|thread| thread.ok()?.file_name().to_str()?.parse().ok());
    for thread in threads.filter_map(Pid::from_raw) {
        match setpriority_process(Some(thread), niceness) {
            // A thread that has ended since.
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(setpriority_process(None, niceness)?)
}
