//! Whether a thread of this process is still there.
#![expect(unsafe_code, reason = "a handle of a thread, and asking for its end")]

use std::{
    os::windows::io::{AsRawHandle, OwnedHandle},
    sync::Arc,
};

use windows_sys::Win32::{
    Foundation::WAIT_OBJECT_0,
    System::Threading::{GetCurrentThreadId, OpenThread, THREAD_SYNCHRONIZE, WaitForSingleObject},
};

use super::handles::owned;

/// A thread of this process, watched by others: a thread can end alone, by the system's `ExitThread`, with nothing of it
/// dropped and nobody told.
#[derive(Debug, Clone)]
pub struct WatchedThread(Arc<OwnedHandle>);

impl WatchedThread {
    /// The thread that calls this; `None` where the system does not give a handle of it.
    #[must_use]
    pub fn current() -> Option<Self> {
        // SAFETY: it takes numbers; the handle is new, and this process's alone.
        let thread = unsafe { owned(OpenThread(THREAD_SYNCHRONIZE, 0, GetCurrentThreadId())) };
        thread.ok().map(|thread| Self(Arc::new(thread)))
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        // SAFETY: the handle is there, and may be waited for.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }
}
