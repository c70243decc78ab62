//! The main thread of a worker whose task is a plain function: one item after the other, outside any
//! runtime, so that the function may block and may use a runtime of its own.

use std::{
    pin::pin,
    rc::Rc,
    task::{Context as PollContext, Poll, Waker},
    time::Instant,
};

use futures::poll;
use mt_proto::{Attachments, Failure, ItemIndex, Records};
use tokio::runtime::Runtime;

use super::{
    context_batch::{ContextBatch, ContextOptions, CurrentBatch},
    reporter::{Encoded, Reporter},
    work::{Batch, Job, NoResult, SharedInputs, decode, expired},
};
use crate::{
    Task,
    current::Ambient,
    worker::{caught, drive},
};

pub(super) fn run<T: Task>(job: Job, runtime: Rc<Runtime>, inputs: SharedInputs<T>) {
    let mut runner = SyncRunner {
        reporter: Reporter::new(job.setup.max_result_bytes, job.progress.clone()),
        job,
        runtime,
        inputs,
        batch: CurrentBatch::None,
        started: 0,
    };
    while let Some(batch) = runner.next_batch() {
        runner.work(batch);
    }
    runner.close();
    runner.inputs.drop();
}

struct SyncRunner<T: Task> {
    job: Job,
    inputs: SharedInputs<T>,
    batch: CurrentBatch<T::Context>,
    reporter: Reporter,
    started: u64,
    runtime: Rc<Runtime>,
}

impl<T: Task> SyncRunner<T> {
    /// The next items; what is finished is sent before waiting for them.
    fn next_batch(&mut self) -> Option<Batch> {
        if let Ok(batch) = self.job.inbox.try_recv() {
            return Some(batch);
        }
        self.reporter.flush(&self.job.outbox);
        let batch = self.job.inbox.blocking_recv();
        self.reporter.restart_watch();
        batch
    }

    fn work(
        &mut self,
        Batch {
            items, start_by, ..
        }: Batch,
    ) {
        let mut records = Records::new(items.records);
        let attachments = items.attachments;
        let mut index = items.first;
        self.pass_gate(index, start_by);
        while let Ok(Some(encoded)) = records.next_with(|_, value| {
            self.started += 1;
            self.job.progress.set_started(self.started);
            match expired(start_by, self.job.setup.queue_deadline) {
                Some(late) => Err(late),
                None => self.call(index, value, &attachments),
            }
        }) {
            let encoded = encoded.map_err(|none| self.settle(none));
            self.reporter.report(&self.job.outbox, index, encoded);
            self.job.progress.set_finished(self.started);
            if self.batch.take_place() {
                self.close();
            }
            index = index.plus(1);
            if !records.is_empty() {
                self.pass_gate(index, start_by);
            }
            if !self.reporter.room {
                futures::executor::block_on(self.job.outbox.room());
                self.reporter.room = true;
                self.reporter.restart_watch();
            }
        }
    }

    /// Waits until an item may be started, or has waited for too long; what is finished is sent before.
    #[inline]
    fn pass_gate(&mut self, index: ItemIndex, start_by: Option<tokio::time::Instant>) {
        if !self.job.gate.lets(index) {
            self.wait_at_gate(index, start_by);
        }
    }

    #[cold]
    fn wait_at_gate(&mut self, index: ItemIndex, start_by: Option<tokio::time::Instant>) {
        self.reporter.flush(&self.job.outbox);
        let gate = self.job.gate.clone();
        drive(&self.runtime, gate.opened_by(index, start_by));
        self.reporter.restart_watch();
    }

    #[inline]
    fn call(&mut self, index: ItemIndex, value: &[u8], beside: &Attachments) -> Encoded {
        self.reporter.stdout.begin(index);
        let context = self.context()?;
        let setup = &self.job.setup;
        let soft = setup.soft_deadline;
        Ambient {
            index,
            seed: setup.seed,
            soft_due: soft.map(|limit| Instant::now() + limit),
        }
        .enter();
        let shared = Rc::clone(&self.inputs.shared);
        let reporter = &mut self.reporter;
        let called = caught(|| {
            let input = decode::<T>(value, beside)?;
            let call = pin!(T::call(context, shared, input));
            match call.poll(&mut PollContext::from_waker(Waker::noop())) {
                Poll::Ready(result) => reporter.encode(index, result),
                Poll::Pending => unreachable!("a plain function has nothing to wait for"),
            }
        });
        Ambient::leave();
        called?
    }

    /// Why the item started last has no result. What is looked up for a panic is no part of the call: that is over.
    #[cold]
    fn settle(&mut self, none: NoResult) -> Box<Failure> {
        self.job.progress.set_finished(self.started);
        match none {
            NoResult::Failure(failure) => failure,
            NoResult::Panic(panic) => Box::new(panic.into()),
        }
    }

    fn context(&mut self) -> Result<Rc<T::Context>, NoResult> {
        if let CurrentBatch::None = self.batch {
            let Job {
                setup,
                outbox,
                progress,
                ..
            } = &self.job;
            let options = ContextOptions::of::<T>(setup, outbox, progress);
            let open = ContextBatch::open(Rc::clone(&self.inputs.config), options);
            let reporter = &mut self.reporter;
            self.batch = drive(&self.runtime, async {
                tokio::pin!(open);
                if let Poll::Ready(batch) = poll!(&mut open) {
                    return batch;
                }
                reporter.hand_over(outbox);
                open.await
            });
            self.reporter.restart_watch();
        }
        match &self.batch {
            CurrentBatch::Open(batch) => Ok(batch.context()),
            CurrentBatch::Failed(failure, _) => Err(failure.clone().into()),
            CurrentBatch::None => unreachable!("a batch was opened above"),
        }
    }

    /// Closes the context behind the last item of its batch.
    fn close(&mut self) {
        if let CurrentBatch::Open(batch) = std::mem::take(&mut self.batch) {
            drive(&self.runtime, batch.close(self.options()));
            self.reporter.restart_watch();
        }
    }

    fn options(&self) -> ContextOptions<'_> {
        ContextOptions::of::<T>(&self.job.setup, &self.job.outbox, &self.job.progress)
    }
}
