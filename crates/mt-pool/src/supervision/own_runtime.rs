//! A runtime that a thread of its own drives: that of a run, a pool, a hive, a feeder.

use std::{io, ops::Deref, thread};

use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread. May be dropped anywhere, also inside another runtime: what it still does is left, and
/// nobody waits for it.
#[derive(Debug)]
pub struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    /// Makes one.
    ///
    /// # Errors
    /// The system's, when it has no descriptor or no room left.
    pub fn new() -> io::Result<Self> {
        mt_ipc::has_room()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Hands it to a new thread of this name.
    ///
    /// # Errors
    /// The system's, when it has no thread to give; `run` was not called, and is dropped. A later call may have one.
    pub fn on_thread(self, name: &str, run: impl FnOnce(Self) + Send + 'static) -> io::Result<()> {
        self.start(thread::Builder::new().name(name.into()), run)
    }

    /// The same for a thread with a stack of so many bytes, for tasks of the user's.
    ///
    /// # Errors
    /// The same.
    pub fn on_thread_with(
        self,
        name: &str,
        stack_bytes: usize,
        run: impl FnOnce(Self) + Send + 'static,
    ) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.into());
        self.start(thread.stack_size(stack_bytes), run)
    }

    fn start(
        self,
        thread: thread::Builder,
        run: impl FnOnce(Self) + Send + 'static,
    ) -> io::Result<()> {
        thread.spawn(move || run(self)).map(drop)
    }
}

impl Deref for OwnRuntime {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.0.as_ref().expect("taken only on drop")
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // The plain drop waits, which is not allowed inside another runtime.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_has_no_thread_is_dropped_also_inside_another() {
        let outer = OwnRuntime::new().expect("there are descriptors");
        let inner = || OwnRuntime::new().expect("there are descriptors");
        outer.block_on(async { drop(inner()) });
        // What becomes of a closure that finds no thread.
        outer.block_on(async {
            let own = inner();
            drop(move || own.block_on(std::future::pending::<()>()));
        });
    }
}
