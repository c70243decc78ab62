//! Single processes, and this one.
#![expect(unsafe_code, reason = "handles of processes")]

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::{
    Foundation::WAIT_OBJECT_0,
    System::{
        ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS},
        Threading::{
            ExitThread, GetCurrentProcess, INFINITE, OpenProcess, PROCESS_SYNCHRONIZE,
            WaitForSingleObject,
        },
    },
};

/// A process that there is, with these rights over it.
pub(super) fn open(pid: u32, rights: u32) -> Option<OwnedHandle> {
    // SAFETY: it takes numbers.
    let handle = unsafe { OpenProcess(rights, 0, pid) };
    // SAFETY: the handle is new, and this process's alone.
    (!handle.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn has_ended_within(pid: u32, millis: u32) -> bool {
    open(pid, PROCESS_SYNCHRONIZE).is_none_or(|process| {
        // SAFETY: the handle is there.
        unsafe { WaitForSingleObject(process.as_raw_handle(), millis) == WAIT_OBJECT_0 }
    })
}

/// Whether a process is gone.
#[must_use]
pub fn is_gone(pid: u32) -> bool {
    has_ended_within(pid, 0)
}

/// Waits until none of the processes runs any more.
pub fn wait_until_gone(pids: &[u32]) {
    let _watchdog = crate::watchdog(format!("waiting for the end of {pids:?}"));
    for &pid in pids {
        assert!(has_ended_within(pid, INFINITE));
    }
}

/// The bytes of memory that this process has for itself: no file's.
#[must_use]
pub fn own_bytes() -> u64 {
    counters().PagefileUsage as u64
}

fn counters() -> PROCESS_MEMORY_COUNTERS {
    let mut counters = PROCESS_MEMORY_COUNTERS::default();
    let length = size_of_val(&counters) as u32;
    // SAFETY: the pseudo handle of this process needs no closing, and there is room for so many bytes.
    let is_told =
        unsafe { K32GetProcessMemoryInfo(GetCurrentProcess(), &raw mut counters, length) };
    assert_ne!(is_told, 0);
    counters
}

/// The bytes of memory that this process has in use, with what it shares.
#[must_use]
pub fn resident_bytes() -> u64 {
    counters().WorkingSetSize as u64
}

/// The most memory that this process has had so far.
#[must_use]
pub fn peak_bytes() -> u64 {
    counters().PeakWorkingSetSize as u64
}

/// Ends the thread that calls it, and not its process.
pub fn end_thread() -> ! {
    // SAFETY: none; what the thread owns is never dropped, and whoever waits for it waits for ever: that is the point.
    unsafe { ExitThread(0) }
}
