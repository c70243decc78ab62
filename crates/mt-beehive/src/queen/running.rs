//! A hive that lives as long as a value does.

use std::{fmt, ops::Deref};

use crate::driver::Driven;

/// A hive that lives until this value is given up: made by [`BeehiveRun::start`](crate::BeehiveRun::start). `H` is
/// what is asked, the [`Hive`](crate::Hive) or, with a queen, the [`Queen`](crate::Queen); everything that can do can
/// be done with this too, and clones of it can go anywhere.
///
/// [`shutdown`](Self::shutdown) is the end in peace. Dropping the value kills the worker bees and waits, a second at
/// most, until their processes are gone, which blocks the thread; inside a task of a tokio runtime it does not wait, and
/// they are gone some milliseconds later. Delegates that are under way end as
/// [`CancelReason::HiveClosed`](crate::CancelReason::HiveClosed).
#[must_use = "dropping it kills the hive"]
pub struct RunningHive<H> {
    handle: H,
    driven: Driven,
}

impl<H> RunningHive<H> {
    pub(super) fn new(handle: H, driven: Driven) -> Self {
        Self { handle, driven }
    }

    /// Lets the hive die: the worker bees finish what they have, however long that takes, and go. A task that never ends
    /// and that somebody still waits for, or whose [`Delegate`](crate::Delegate) was leaked, keeps it: give such tasks
    /// [deadlines](crate::Delegate::deadline). Ends when the processes are gone. What is
    /// delegated from now on, by clones that are left, ends as
    /// [`CancelReason::HiveClosed`](crate::CancelReason::HiveClosed).
    ///
    /// Dropping the future kills the worker bees that are left, as dropping the value does.
    pub async fn shutdown(self) {
        self.driven.die().await;
    }

    pub(super) fn into_parts(self) -> (H, Driven) {
        (self.handle, self.driven)
    }
}

impl<H> Deref for RunningHive<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.handle
    }
}

impl<H: fmt::Debug> fmt::Debug for RunningHive<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunningHive").field(&self.handle).finish()
    }
}
