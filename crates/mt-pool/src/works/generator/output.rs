//! Outcomes of works as they come out of a run.

use std::{
    fmt,
    iter::{Flatten, Take},
    ops::Range,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use futures::stream::FusedStream;
use mt_proto::{ItemIndex, guarded};

use super::{idle_timeout::IdleTimeout, ids::WorkIds, missing::Finished, tracker::Tracker};
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
    finished: Finished,
    /// Whether the run was asked to end at the first error.
    ends_early: bool,
    silence: Option<IdleTimeout>,
    waiting: bool,
    tracker: Option<Tracker>,
    /// Why works that the run has never looked at have no value.
    left_because: Lost,
}

enum WorksState<T: Task> {
    Running(Pmap<T>),
    /// The run has ended before all works were given out. These are left.
    Leftover(Leftover, Stats),
    Over(Stats),
}

/// The positions of works.
type Leftover = Take<Flatten<vec::IntoIter<Range<u64>>>>;

impl<T: Task<Input = u64>> AsynWorks<T> {
    pub(super) fn new(
        run: Pmap<T>,
        ids: WorkIds,
        silence: Option<IdleTimeout>,
        tracker: Option<Tracker>,
    ) -> Self {
        Self {
            ends_early: run.fails_fast(),
            state: WorksState::Running(run),
            ids,
            finished: Finished::default(),
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
            WorksState::Leftover(_, stats) | WorksState::Over(stats) => stats.clone(),
        }
    }

    /// A handle that ends the run from elsewhere; `None` when it is over. What is not done then is
    /// [`Cancelled`](TaskErrorKind::Cancelled).
    #[must_use]
    pub fn handle(&self) -> Option<RunHandle> {
        match &self.state {
            WorksState::Running(run) => Some(run.handle()),
            WorksState::Leftover(..) | WorksState::Over(_) => None,
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
                    // It may have been interrupted, or have no workers, before it looked at all works.
                    Poll::Ready(None) => self.leave(0),
                    Poll::Pending => match self.silent_for(cx) {
                        Some(limit) => {
                            self.left_because = Lost::Silent { limit };
                            self.leave(1);
                        }
                        None => return Poll::Pending,
                    },
                },
                WorksState::Leftover(left, stats) => match left.next() {
                    Some(position) => return Poll::Ready(Some(self.left_over(position))),
                    None => {
                        self.state = WorksState::Over(std::mem::take(stats));
                        self.tracker = None;
                    }
                },
                WorksState::Over(_) => return Poll::Ready(None),
            }
        }
    }

    fn done(&mut self, position: u64, outcome: Outcome<T>) -> Done<T> {
        self.finished.add(position);
        let work_id = self.ids.at(position);
        let outcome = outcome.map_err(|error| error.with_index(ItemIndex(work_id)));
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

    /// Lets go of the run and its threads. The works without an outcome are left; if the run was to end at the first
    /// error, only so many.
    fn leave(&mut self, errors: usize) {
        let gaps: Vec<Range<u64>> = self.finished.gaps(self.ids.len()).collect();
        let most = if self.ends_early { errors } else { usize::MAX };
        let left = gaps.into_iter().flatten().take(most);
        self.state = WorksState::Leftover(left, self.stats());
        self.silence = None;
    }

    /// A work that the run has no outcome for.
    fn left_over(&self, position: u64) -> Done<T> {
        let work_id = self.ids.at(position);
        let kind = self.left_because.map(|never| match *never {});
        let error = TaskError::new(ItemIndex(work_id), kind);
        let outcome = Err(error.with_history(0, None));
        if let Some(tracker) = &self.tracker {
            tell::<T>(tracker, None, work_id, &outcome);
        }
        (work_id, outcome)
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
                error: error.describe(|raised| {
                    let described = guarded(|| T::describe_error(raised));
                    described.unwrap_or_else(|panic| format!("its `Display` panicked: {panic}"))
                }),
            },
        },
    });
}

stream!([T: Task<Input = u64>] AsynWorks<T> => Done<T>, |works, cx| works.poll_done(cx));

impl<T: Task<Input = u64>> FusedStream for AsynWorks<T> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, WorksState::Over(_))
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
