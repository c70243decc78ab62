//! Whether a thread of this process is still there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A thread of this process, watched by others: a thread can end alone, by the system's `exit` or a seccomp filter, with
/// nothing of it dropped and nobody told.
#[derive(Debug, Clone)]
pub struct WatchedThread(PathBuf);

impl WatchedThread {
    /// The thread that calls this; `None` where the system does not name it.
    #[must_use]
    pub fn current() -> Option<Self> {
        let name = fs::read_link("/proc/thread-self").ok()?;
        Some(Self(Path::new("/proc").join(name)))
    }

    /// Whether it has ended. False where that can't be seen (any more).
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match fs::read_to_string(self.0.join("stat")) {
            // The first thread of a process is shown until the process ends.
            Ok(stat) => stat
                .rsplit_once(')')
                .is_some_and(|(_, fields)| fields.trim_start().starts_with(['Z', 'X'])),
            Err(error) => {
                let is_gone = matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH));
                // Without `/proc`, in a task that has changed its root, everything is gone.
                is_gone && Self::current().is_some_and(|me| me.is_shown())
            }
        }
    }

    fn is_shown(&self) -> bool {
        let shown: io::Result<bool> = self.0.join("stat").try_exists();
        shown.unwrap_or(false)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn a_thread_is_there_until_it_has_ended() {
        let (tell, told) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let _ = tell.send(WatchedThread::current());
            let _ = ends.recv();
        });
        let watched = told.recv().expect("it is told").expect("it has a name");
        assert!(!watched.has_ended());
        drop(end);
        thread.join().expect("it ends");
        // It is joined some moments before the system has forgotten it.
        while !watched.has_ended() {
            thread::yield_now();
        }
        let me = WatchedThread::current().expect("it has a name");
        assert!(!me.has_ended());
    }
}
