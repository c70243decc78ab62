//! The works of one context: started in order, ended as they end, told one by one.
//!
//! Loop: one a call. Works go on running while a message waits for room.

use std::{pin::Pin, rc::Rc, vec};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use mt_proto::{ItemIndex, Kept, dispose};

use super::teller::Teller;
use crate::{
    Context, Task, TaskError,
    works::{
        here::{Called, call, close, not_open, open},
        progress::Progress,
    },
};

/// Works started, and cancellations told, before those that run get their turn.
const TURN: usize = 64;

/// What there is of a context.
pub(super) enum Given<C: Context> {
    /// The means to make one.
    Config(Kept<C::Config>),
    /// An open one, and somebody else's to close.
    Open(Rc<C>),
}

/// What became of the works of one context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkCounts {
    /// Works that have returned.
    pub returned: u64,
    /// Works that have raised an error or panicked, or had no context.
    pub raised: u64,
    /// Works that were never started.
    pub cancelled: u64,
}

/// What stops the start of more works when it is ready.
pub(super) type Stop = Pin<Box<dyn Future<Output = ()>>>;

/// Ready when one of them is.
pub(super) fn stop(cancel: Stop, interruption: impl Future<Output = ()> + 'static) -> Stop {
    Box::pin(async move {
        tokio::select! {
            () = cancel => {}
            () = interruption => {}
        }
    })
}

/// The works of one context.
pub(super) struct Runner<T: Task> {
    pub(super) context_id: u32,
    pub(super) shared: Rc<T::Shared>,
    pub(super) ids: vec::IntoIter<u64>,
    pub(super) at_once: usize,
    pub(super) teller: Teller<T>,
    pub(super) counts: WorkCounts,
    pub(super) stopped: bool,
}

impl<T: Task<Input = u64>> Runner<T> {
    pub(super) async fn run_in(mut self, given: Given<T::Context>, stop: Stop) -> WorkCounts {
        match given {
            Given::Open(context) => self.run_works(&context, stop).await,
            Given::Config(config) => match open::<T::Context>(&config).await {
                Ok(context) => self.run_and_close(context, stop).await,
                Err(error) => self.raise_all(error).await,
            },
        }
        self.teller.tell_all().await;
        dispose(self.shared);
        self.counts
    }

    async fn run_and_close(&mut self, context: T::Context, stop: Stop) {
        let (context_id, context) = (self.context_id, Rc::new(context));
        self.teller.add(Progress::ContextCreated { context_id });
        self.run_works(&context, stop).await;
        if let Err(error) = close(context).await {
            self.teller
                .add(Progress::ContextRaised { context_id, error });
        }
        self.teller.add(Progress::ContextDestroyed { context_id });
    }

    async fn raise_all(&mut self, message: String) {
        self.teller.add(Progress::ContextRaised {
            context_id: self.context_id,
            error: message.clone(),
        });
        for work_id in self.ids.by_ref() {
            self.counts.raised += 1;
            self.teller.add(Progress::TaskRaised {
                context_id: None,
                work_id,
                error: TaskError::new(ItemIndex(work_id), not_open(message.clone())),
            });
            self.teller.tell_all().await;
        }
    }

    async fn run_works(&mut self, context: &Rc<T::Context>, mut stop: Stop) {
        let shared = Rc::clone(&self.shared);
        let call = |work_id| {
            let called = call::<T>(Rc::clone(context), Rc::clone(&shared), work_id);
            called.map(move |called| (work_id, called))
        };
        let mut running = FuturesUnordered::new();
        loop {
            if self.teller.has_told_all() {
                self.stopped |= self.teller.is_unwatched();
                if self.stopped {
                    self.cancel_some();
                } else {
                    let room = TURN.min(self.at_once - running.len());
                    self.start_some(room, |work_id| running.push(call(work_id)));
                }
            }
            if self.teller.has_told_all() && running.is_empty() && self.ids.len() == 0 {
                return;
            }
            // All arms are cancel-safe: what is not taken stays in its set or queue.
            tokio::select! {
                () = self.teller.tell_one(), if !self.teller.has_told_all() => {}
                Some((work_id, called)) = running.next(), if !running.is_empty() => self.end(work_id, called),
                () = &mut stop, if !self.stopped => self.stopped = true,
            }
        }
    }

    fn start_some(&mut self, room: usize, mut start: impl FnMut(u64)) {
        let context_id = self.context_id;
        for work_id in self.ids.by_ref().take(room) {
            start(work_id);
            self.teller.add(Progress::TaskScheduled {
                context_id,
                work_id,
            });
        }
    }

    fn cancel_some(&mut self) {
        let context_id = Some(self.context_id);
        let some = if self.teller.is_unwatched() {
            self.ids.len()
        } else {
            TURN
        };
        for work_id in self.ids.by_ref().take(some) {
            self.counts.cancelled += 1;
            self.teller.add(Progress::TaskCancelled {
                context_id,
                work_id,
            });
        }
    }

    fn end(&mut self, work_id: u64, called: Called<T>) {
        let context_id = self.context_id;
        self.teller.add(match called {
            Ok(value) => {
                self.counts.returned += 1;
                Progress::TaskReturned {
                    context_id,
                    work_id,
                    value,
                }
            }
            Err(kind) => {
                self.counts.raised += 1;
                Progress::TaskRaised {
                    context_id: Some(context_id),
                    work_id,
                    error: TaskError::new(ItemIndex(work_id), kind),
                }
            }
        });
    }
}
