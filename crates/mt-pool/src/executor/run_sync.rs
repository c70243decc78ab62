//! The main thread of a worker whose task is a plain function: one item after the other, outside any
//! runtime, so that the function may block and may use a runtime of its own.

use std::{
    pin::pin,
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
};

use mt_proto::{Failure, ItemIndex, Records};

use super::{
    ambient::Ambient,
    call::{decode, expired},
    context_batch::{ContextBatch, ContextOptions, CurrentBatch},
    reporter::{Encoded, Reporter},
    work::{Batch, Job, SharedInputs},
};
use crate::{Task, worker::caught};

/// Runs items until the inbox is closed and empty.
pub(super) fn run<T: Task>(mut job: Job, inputs: SharedInputs<T>) {
    let mut runner = Runner {
        inputs,
        batch: CurrentBatch::None,
        reporter: Reporter::new(job.setup.max_result_bytes, job.progress.clone()),
        started: 0,
    };
    while let Some(batch) = next_parcel(&mut job, &mut runner) {
        runner.work(&job, batch);
    }
    runner.close(&job);
}

/// The next items; what is finished is sent before waiting for them.
fn next_parcel<T: Task>(job: &mut Job, runner: &mut Runner<T>) -> Option<Batch> {
    if let Ok(batch) = job.inbox.try_recv() {
        return Some(batch);
    }
    runner.reporter.flush(&job.outbox);
    let batch = job.inbox.blocking_recv();
    runner.reporter.restart_watch();
    batch
}

struct Runner<T: Task> {
    inputs: SharedInputs<T>,
    batch: CurrentBatch<T::Context>,
    reporter: Reporter,
    started: u64,
}

impl<T: Task> Runner<T> {
    fn work(&mut self, job: &Job, Batch { items, start_by }: Batch) {
        let mut records = Records::new(items.records);
        let mut index = items.first;
        while let Ok(Some(encoded)) = records.next_with(|_, value| {
            self.started += 1;
            job.progress.set_started(self.started);
            match expired(start_by, job.setup.queue_deadline) {
                Some(failure) => Err(failure),
                None => self.call(job, index, value),
            }
        }) {
            let room = self.reporter.report(&job.outbox, index, encoded);
            job.progress.set_finished(self.started);
            self.end_item(job);
            index = index.plus(1);
            if !room {
                futures::executor::block_on(job.outbox.room());
                self.reporter.set_room();
                self.reporter.restart_watch();
            }
        }
    }

    #[inline]
    fn call(&mut self, job: &Job, index: ItemIndex, value: &[u8]) -> Encoded {
        let context = self.context(job)?;
        let soft = job.setup.soft_deadline;
        Ambient {
            index,
            seed: job.setup.seed,
            soft_due: soft.map(|limit| std::time::Instant::now() + limit),
        }
        .enter();
        let shared = Rc::clone(&self.inputs.shared);
        let reporter = &mut self.reporter;
        let called = caught(|| {
            let input = decode::<T>(value)?;
            let call = pin!(T::call(context, shared, input));
            match call.poll(&mut PollContext::from_waker(Waker::noop())) {
                Poll::Ready(result) => reporter.encode(index, result),
                Poll::Pending => unreachable!("a plain function has nothing to wait for"),
            }
        });
        Ambient::leave();
        called.and_then(|encoded| encoded)
    }

    /// The context of the next item.
    fn context(&mut self, job: &Job) -> Result<Rc<T::Context>, Failure> {
        if let CurrentBatch::None = self.batch {
            let open = ContextBatch::open(Rc::clone(&self.inputs.config), options::<T>(job));
            self.batch = job.runtime.block_on(open);
            self.reporter.restart_watch();
        }
        match &self.batch {
            CurrentBatch::Open(batch) => Ok(batch.context()),
            CurrentBatch::Failed(failure, _) => Err(failure.clone()),
            CurrentBatch::None => unreachable!("a batch was opened above"),
        }
    }

    /// The item has its outcome; if it was the last of its batch, the context is closed.
    fn end_item(&mut self, job: &Job) {
        if self.batch.take_place() {
            self.close(job);
        }
    }

    fn close(&mut self, job: &Job) {
        if let CurrentBatch::Open(batch) = std::mem::replace(&mut self.batch, CurrentBatch::None) {
            job.runtime.block_on(batch.close(options::<T>(job)));
            self.reporter.restart_watch();
        }
    }
}

fn options<T: Task>(job: &Job) -> ContextOptions<'_> {
    ContextOptions::of::<T>(&job.setup, &job.outbox)
}
