//! A hive that lives as long as a value does.

use std::{fmt, ops::Deref, time::Duration};

use crate::driver::{Driven, HiveShutdown};

/// A hive that lives until this value is given up: made by [`BeehiveRun::start`](crate::BeehiveRun::start). `H` is
/// what is asked, the [`Hive`](crate::Hive) or, with a queen, the [`Queen`](crate::Queen); everything that can do can
/// be done with this too, and clones of it can go anywhere.
///
/// [`shutdown`](Self::shutdown) is the end in peace, [`shutdown_within`](Self::shutdown_within) that of a service, which has
/// to be over some time. Dropping the value kills the worker bees and waits, a second at
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

    /// Lets the hive die within a time: as [`shutdown`](Self::shutdown), but the tasks that have not ended after `grace` are
    /// cancelled, whether they were begun or not, and end as [`CancelReason::HiveClosed`](crate::CancelReason::HiveClosed).
    ///
    /// `grace` is from now on; zero cancels at once, beyond 30 years means "never". A task that does not let go within the
    /// [`cancel_grace`](crate::limits::Deadlines::cancel_grace), 50 ms, is ended with its bee's process, and bees that were
    /// told to die have their [`exit_grace`](crate::limits::Deadlines::exit_grace), 5 s, as ever.
    ///
    /// Works on any executor. Dropping the future kills the worker bees that are left, as dropping the value does.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use mt_beehive::{CancelReason, DelegateError, Hive, hive_of};
    /// # #[derive(Default)] struct Renderer;
    /// # #[mt_beehive::worker] impl Renderer {
    /// #     #[task] async fn render(&self, page: String) -> String { page.to_uppercase() }
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> anyhow::Result<()> {
    /// let hive = hive_of::<Renderer>(()).processes(2).start()?;
    /// let handle: Hive<Renderer> = hive.clone(); // for the handlers of a server, each has one
    /// assert_eq!(handle.render("page".into()).await?, "PAGE");
    /// let end = hive.shutdown_within(Duration::from_secs(10)).await;
    /// assert!(end.is_graceful());
    /// let closed = handle.render("page".into()).await.unwrap_err();
    /// assert_eq!(closed, DelegateError::Cancelled(CancelReason::HiveClosed));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shutdown_within(self, grace: Duration) -> HiveShutdown {
        self.driven.die_within(grace).await
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
