//! Outcomes of works as they come out of a run.

use std::{
    fmt,
    ops::Range,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::stream::FusedStream;
use mt_proto::ItemIndex;

use super::{idle_timeout::IdleTimeout, ids::WorkIds, tracker::Tracker};
use crate::{
    Pmap, RunHandle, Task, TaskError, TaskErrorKind, dispatch::Lost, pmap::Outcome, stats::Stats,
    wait::stream, works::progress::Progress,
};

/// A work's number and what became of it.
type Done<T> = (u64, Outcome<T>);

/// What becomes of works in worker processes, each with its number: a `Stream`, and by
/// [`into_iter`](IntoIterator::into_iter) an iterator that blocks. Made by
/// [`start`](super::AsynWorkGenerator::start).
///
/// The stream ends when every work has its outcome; by then every worker process is gone. The index in a work's error
/// is its number. Dropping it stops the run, as dropping a [`Pmap`] does.
#[must_use = "dropping it stops the run"]
pub struct AsynWorks<T: Task> {
    state: WorksState<T>,
    ids: WorkIds,
    silence: Option<IdleTimeout>,
    waiting: bool,
    tracker: Option<Tracker>,
    /// Why works that the run has never looked at have no value.
    left_because: Lost,
}

enum WorksState<T: Task> {
    Running(Pmap<T>),
    /// The positions of works that the run has never looked at.
    Ended(Range<u64>, Stats),
}

impl<T: Task<Input = u64>> AsynWorks<T> {
    pub(super) fn new(
        run: Pmap<T>,
        ids: WorkIds,
        silence: Option<IdleTimeout>,
        tracker: Option<Tracker>,
    ) -> Self {
        Self {
            state: WorksState::Running(run),
            ids,
            silence,
            waiting: false,
            tracker,
            left_because: Lost::Cancelled,
        }
    }

    /// What has become of one more work, with its number; `None` when there are no more.
    ///
    /// Cancel-safe. Works on any executor.
    pub async fn next(&mut self) -> Option<(u64, Outcome<T>)> {
        std::future::poll_fn(|cx| self.poll_done(cx)).await
    }

    /// What the run has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        match &self.state {
            WorksState::Running(run) => run.stats(),
            WorksState::Ended(_, stats) => stats.clone(),
        }
    }

    /// A handle that ends the run from elsewhere; `None` when it is over. What is not done then is
    /// [`Cancelled`](TaskErrorKind::Cancelled).
    #[must_use]
    pub fn handle(&self) -> Option<RunHandle> {
        match &self.state {
            WorksState::Running(run) => Some(run.handle()),
            WorksState::Ended(..) => None,
        }
    }

    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done<T>>> {
        loop {
            match &mut self.state {
                WorksState::Running(run) => match run.poll_indexed(cx) {
                    Poll::Ready(Some((position, outcome))) => {
                        self.end_wait();
                        return Poll::Ready(Some(self.done(position, outcome)));
                    }
                    Poll::Ready(None) => {
                        // It may have been interrupted, or have no workers, before it looked at all works.
                        let (stats, all) = (run.stats(), self.ids.len());
                        let left = if run.fails_fast() { all } else { stats.pulled }..all;
                        self.state = WorksState::Ended(left, stats);
                        self.silence = None;
                    }
                    Poll::Pending => match self.silent_for(cx) {
                        Some(limit) => self.give_up(limit),
                        None => return Poll::Pending,
                    },
                },
                WorksState::Ended(left, _) => {
                    let left = left.next();
                    if left.is_none() {
                        self.tracker = None;
                    }
                    return Poll::Ready(left.map(|position| self.left_over(position)));
                }
            }
        }
    }

    fn done(&mut self, position: u64, outcome: Outcome<T>) -> Done<T> {
        let work_id = self.ids.at(position);
        let outcome = outcome.map_err(|error| match error.kind() {
            TaskErrorKind::Cancelled if matches!(self.left_because, Lost::Silent { .. }) => {
                self.lost(work_id)
            }
            _ => error.with_index(ItemIndex(work_id)),
        });
        if let Err(error) = &outcome
            && let TaskErrorKind::Pool(cause) = error.kind()
        {
            self.left_because = Lost::Pool(Arc::clone(cause));
        }
        if let Some(tracker) = &self.tracker {
            tell::<T>(tracker, tracker.take(position), work_id, &outcome);
        }
        (work_id, outcome)
    }

    /// A work that the run has no outcome for.
    fn left_over(&self, position: u64) -> Done<T> {
        let work_id = self.ids.at(position);
        let outcome = Err(self.lost(work_id));
        if let Some(tracker) = &self.tracker {
            tell::<T>(tracker, None, work_id, &outcome);
        }
        (work_id, outcome)
    }

    fn lost(&self, work_id: u64) -> TaskError<T::Error> {
        let kind = self.left_because.map(|never| match *never {});
        TaskError::new(ItemIndex(work_id), kind).with_history(0, None)
    }

    /// Nobody says anything: the run is ended, and what it cancels has got no outcome because of that.
    fn give_up(&mut self, limit: Duration) {
        self.left_because = Lost::Silent { limit };
        self.silence = None;
        if let Some(handle) = self.handle() {
            handle.cancel();
        }
    }

    /// Somebody waits. The timeout, if it has been silent for so long.
    fn silent_for(&mut self, cx: &Context<'_>) -> Option<Duration> {
        self.waiting = true;
        self.silence.as_ref()?.wait(cx.waker())
    }

    fn end_wait(&mut self) {
        if std::mem::take(&mut self.waiting)
            && let Some(silence) = &self.silence
        {
            silence.end_wait();
        }
    }
}

fn tell<T: Task>(tracker: &Tracker, context_id: Option<u32>, work_id: u64, outcome: &Outcome<T>) {
    tracker.tell(match outcome {
        Ok(_) => Progress::TaskReturned {
            context_id: context_id.expect("a work returns from the worker it was given to"),
            work_id,
            value: (),
        },
        Err(error) => match error.kind() {
            TaskErrorKind::Cancelled => Progress::TaskCancelled {
                context_id,
                work_id,
            },
            _ => Progress::TaskRaised {
                context_id,
                work_id,
                error: error.describe(T::describe_error),
            },
        },
    });
}

stream!([T: Task<Input = u64>] AsynWorks<T> => Done<T>, |works, cx| works.poll_done(cx));

impl<T: Task<Input = u64>> FusedStream for AsynWorks<T> {
    fn is_terminated(&self) -> bool {
        matches!(&self.state, WorksState::Ended(left, _) if left.is_empty())
    }
}

impl<T: Task> fmt::Debug for AsynWorks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsynWorks")
            .field("task", &T::NAME)
            .field("works", &self.ids.len())
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}
