//! The thread that ends a worker process when its parent is gone, and how a worker is ended from within.
#![expect(unsafe_code, reason = "waiting for a process, and ending this one")]

use std::{
    io,
    os::windows::io::{AsRawHandle, OwnedHandle},
    sync::OnceLock,
    thread,
};

use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, INFINITE, TerminateProcess, WaitForSingleObject,
};

use super::job::KILLED;
use crate::Progress;

/// Ends this worker process when its parent is gone. Nothing the user's code does can hold that up: it takes a thread that
/// runs nothing else and only sleeps in the kernel until then. What this process has started is in the parent's job, which
/// ends with the parent.
#[derive(Debug)]
pub struct Guard {
    parent: OwnedHandle,
}

impl Guard {
    pub(super) fn new(parent: OwnedHandle, progress: &Progress) -> Self {
        let _ = SHARED.set(progress.clone());
        Self { parent }
    }

    /// Watches on the thread that calls this, for good. That may be the process's first, which is of no use otherwise.
    pub fn watch(self) -> ! {
        // SAFETY: the handle is there, and may be waited for.
        unsafe { WaitForSingleObject(self.parent.as_raw_handle(), INFINITE) };
        hang_up();
    }

    /// Watches on a thread of its own.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn on_thread(self) -> io::Result<()> {
        let thread = thread::Builder::new().name("mt-guard".into());
        let thread = thread.stack_size(128 * 1024);
        thread.spawn(|| self.watch()).map(drop)
    }
}

/// What tells a parent that lives why this process ends.
static SHARED: OnceLock<Progress> = OnceLock::new();

/// [`end_worker`] because the connection has ended: the parent is gone, or a task has closed what was not its own, which
/// a parent is to be told.
pub fn hang_up() -> ! {
    if let Some(progress) = SHARED.get() {
        progress.set_hung_up();
    }
    end_worker()
}

/// Ends this worker process at once. What it has started is in its job, which the parent ends when it sees that, or which
/// ends with the parent.
pub fn end_worker() -> ! {
    // SAFETY: the pseudo handle of this process needs no closing.
    unsafe { TerminateProcess(GetCurrentProcess(), KILLED) };
    std::process::abort()
}
