//! Descriptors that a worker has from its parent and does not need.
#![expect(unsafe_code, reason = "closing descriptors by their numbers")]

use std::{
    fs,
    os::fd::{BorrowedFd, RawFd},
};

use rustix::io::{FdFlags, fcntl_getfd};

/// Closes all descriptors above 2 that were inherited: those that are not marked close-on-exec. What this process
/// has opened itself is marked. To be called before any code that may have opened something without the mark.
pub fn close_inherited() {
    let Ok(open) = fs::read_dir("/dev/fd") else {
        return;
    };
    let numbers = open
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let numbers: Vec<RawFd> = numbers.filter(|&fd| fd > 2).collect();
    for fd in numbers {
        // SAFETY: it was open a moment ago, or asking for its flags fails.
        let flags = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(fd) });
        if flags.is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC)) {
            // SAFETY: nothing in this process has opened it, so nothing in this process owns it.
            unsafe { rustix::io::close(fd) };
        }
    }
}
