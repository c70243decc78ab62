//! Watching and ending a run from elsewhere.

use std::sync::Arc;

use crate::{
    events::{EventLog, PoolEvents},
    input::{Asked, RunControl},
    stats::{RunProgress, Stats, StatsCell},
    supervision::EndWatch,
};

/// Watches and ends a run from anywhere: another thread, a signal handler's task, a callback. Made by
/// [`Pmap::handle`](crate::Pmap::handle); cheap to clone. Once the run is over it ends nothing, and
/// what it tells stands still.
///
/// What becomes of items when a run is ended early. None of these waits, each may be called more than once and from
/// anywhere, and the stronger one counts, whichever came first. Every item that was pulled has its one outcome.
///
/// | item | [`close`](Self::close) | [`drain`](Self::drain), Ctrl-C | [`cancel`](Self::cancel) | dropping the run |
/// |---|---|---|---|---|
/// | still in the input | is left there | is left there | is left there | is left there |
/// | being pulled just now | is dropped | is dropped | is dropped | is dropped |
/// | pulled, waits here | is done | `Cancelled` | `Cancelled` | has no outcome |
/// | waits to be tried again | is done | `Cancelled`, with its attempts | the same | has no outcome |
/// | a worker has it | is done | is done | `Cancelled`, its worker is killed | its worker is killed |
/// | was running in a worker that dies | is tried again as ever | `Cancelled`, with its attempts | the same | has no outcome |
/// | done, not taken yet | stays | stays | stays | is dropped |
/// | *the stream ends* | after all of these | when workers have done what they had | at once | – |
///
/// What waits here is up to [`capacity`](crate::AsynPmap::capacity) items, so a run that is closed may go on for long.
/// A worker has the item that it works on and the next one, more if they are quick (some 50 ms of work); an `async fn`
/// those that run at once and a third more. Of an input that is all in memory up to some hundreds are pulled in one go.
/// [`Cancelled`](crate::TaskErrorKind::Cancelled) is never said of an item that failed for good:
/// [`is_cancelled`](crate::TaskError::is_cancelled) and [`Stats::cancelled`](crate::stats::Stats::cancelled) tell them apart,
/// and [`TaskError::item`](crate::TaskError::item) gives the item back for later.
#[derive(Debug, Clone)]
pub struct RunHandle {
    pub(super) control: RunControl,
    pub(super) end: EndWatch,
    pub(crate) stats: Arc<StatsCell>,
    pub(super) events: Arc<EventLog>,
}

impl RunHandle {
    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.get();
        stats.outstanding = self.control.outstanding();
        stats.pulled = self.control.pulled();
        stats
    }

    /// How far the run is, and how fast.
    #[must_use]
    pub fn progress(&self) -> RunProgress {
        self.stats.progress(self.control.pulled())
    }

    /// What happens to its workers, from the start of the run on.
    #[must_use]
    pub fn events(&self) -> PoolEvents {
        self.events.read()
    }

    /// Pulls nothing more from the input, from now on; everything that was pulled is still done, see the
    /// [table](Self). To begin nothing more, [`drain`](Self::drain) it.
    pub fn close(&self) {
        self.control.ask(Asked::Close);
    }

    /// Lets workers finish what they have, and gives every other item that was pulled
    /// [`Cancelled`](crate::TaskErrorKind::Cancelled): Ctrl-C's way by hand, see the [table](Self). How long that takes is
    /// up to the items that run; [`cancel`](Self::cancel) ends it.
    pub fn drain(&self) {
        self.control.ask(Asked::Drain);
    }

    /// Ends the run at once: what runs is killed, and every item that was pulled and has no outcome yet gets
    /// [`Cancelled`](crate::TaskErrorKind::Cancelled) once its worker is gone, see the [table](Self).
    pub fn cancel(&self) {
        self.control.ask(Asked::Cancel);
    }

    /// Cancels the run, and waits until every worker of it is gone, or left to its [`Pool`](crate::Pool). The outcomes
    /// may be taken before, meanwhile or afterwards.
    ///
    /// Cancel-safe: once polled, the run is cancelled, whatever becomes of the future. Works on any executor, and blocks
    /// no thread.
    pub async fn cancel_and_wait(&self) {
        self.cancel();
        self.wait().await;
    }

    /// Waits until the run is over and every worker of it gone, or left to its [`Pool`](crate::Pool): after
    /// [`drain`](Self::drain), or after a drop inside async code, which does not wait by itself. It ends nothing: a run
    /// that nobody ends is over when its input has ended, and every outcome but the last
    /// [`capacity`](crate::AsynPmap::capacity) was taken.
    ///
    /// Cancel-safe. Works on any executor, and blocks no thread.
    pub async fn wait(&self) {
        self.end.over().await;
    }
}
