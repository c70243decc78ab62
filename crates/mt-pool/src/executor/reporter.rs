//! Outcomes on the user's thread: encoded where they arise, published to the outbox in time.
//!
//! Publishing takes a lock, which shows beside a task of some nanoseconds. So while tasks are quick (128
//! or more between two looks of the link, twenty milliseconds apart) their outcomes are gathered without it
//! and published when the link has looked again. The outcomes of slower tasks are published one by
//! one. What this costs: if a task that never returns follows quick ones, up to twenty milliseconds of
//! their outcomes wait with it, and are made again elsewhere when the worker is killed for it.

use std::{mem::needs_drop, time::Instant};

use mt_ipc::Progress;
use mt_proto::{Count, Failure, Heading, ItemIndex, RecordTag, SegmentWriter, TallyParts};

use super::{call_stdout::CallStdout, outbox::Outbox, stopwatch::Stopwatch, tally, work::NoResult};
use crate::{Wire, worker::caught};

/// The outcomes between two looks of the link from which on tasks count as quick.
const QUICK: u32 = 128;
/// The bytes that are not gathered any further.
const GATHER_BYTES: usize = 32 * 1024;

/// An outcome that is encoded, or why there is none.
pub(super) type Encoded = Result<(), NoResult>;

#[derive(Debug)]
pub(super) struct Reporter {
    max_result_bytes: usize,
    runs: SegmentWriter,
    /// What the call has counted whose outcome was encoded last.
    counts: Vec<Count>,
    /// What calls print, where that is captured.
    pub(super) stdout: CallStdout,
    /// Whether the outbox has room for more.
    pub(super) room: bool,
    /// The looks of the link when outcomes were last published for one.
    looks: u32,
    /// The outcomes since then.
    since: u32,
    quick: bool,
    watch: Stopwatch,
    /// Whether there were calls since the stopwatch was last looked at.
    unmeasured: bool,
}

impl Reporter {
    pub(super) fn new(max_result_bytes: u32, progress: Progress) -> Self {
        tally::calls_run_here();
        Self {
            max_result_bytes: max_result_bytes as usize,
            runs: SegmentWriter::new(),
            counts: Vec::new(),
            stdout: CallStdout::of_this_worker(),
            room: true,
            looks: 0,
            since: 0,
            quick: false,
            watch: Stopwatch::new(progress),
            unmeasured: false,
        }
    }

    /// The time until now is no call's. Returns now.
    pub(super) fn restart_watch(&mut self) -> Instant {
        self.unmeasured = false;
        self.watch.restart()
    }

    /// When the call that runs now was started, or up to twenty milliseconds before.
    pub(super) fn call_began(&self) -> Instant {
        self.watch.last()
    }

    /// Encodes what a call for item `index` returned, and drops it. Both are user code: to be called
    /// inside [`caught`](crate::worker::caught), and followed by [`report`](Self::report).
    #[inline]
    pub(super) fn encode<R: Wire, E: Wire>(
        &mut self,
        index: ItemIndex,
        result: Result<R, E>,
    ) -> Encoded {
        let limit = self.max_result_bytes;
        let mark = self.runs.mark();
        tally::take(index, &mut self.counts);
        self.stdout.end(index);
        let runs = &mut self.runs;
        let tally = TallyParts {
            counts: &self.counts,
            stdout: self.stdout.printed(),
        };
        let tally = tally.if_any();
        let heading = |tag| Heading { tag, tally };
        let mut push = || match &result {
            Ok(value) => runs.push_outcome(index, heading(RecordTag::Value), value, limit),
            Err(error) => runs.push_outcome(index, heading(RecordTag::Raised), error, limit),
        };
        if !needs_drop::<Result<R, E>>() {
            return Ok(push().map_err(Failure::from)?);
        }
        // The drop must not meet the panic of the other, and only the first is told.
        let pushed = caught(push);
        let dropped = caught(|| drop(result));
        let done = pushed.and_then(|pushed| dropped.map(|()| pushed));
        Ok(done
            .inspect_err(|_| self.runs.rewind(mark))?
            .map_err(Failure::from)?)
    }

    /// Item `index` has its outcome: what was encoded last, or this failure.
    #[inline]
    pub(super) fn report(
        &mut self,
        outbox: &Outbox,
        index: ItemIndex,
        encoded: Result<(), Box<Failure>>,
    ) {
        if let Err(failure) = encoded {
            self.push_failure(index, &failure);
        }
        self.counts.clear();
        self.stdout.told();
        self.since += 1;
        let (watched, looks) = outbox.watch();
        let passed = looks.wrapping_sub(self.looks);
        if passed > 0 {
            let quick = self.since >= QUICK;
            if quick != self.quick {
                outbox.set_gathering(quick);
            }
            self.quick = quick;
            self.looks = looks;
            self.since = 0;
        } else if self.quick && watched && self.runs.weight() < GATHER_BYTES {
            self.unmeasured = true;
            return;
        }
        // Two looks since the last report: this call took the time between them.
        let is_its_own = !std::mem::take(&mut self.unmeasured) || passed > 1;
        self.watch.lap(index, is_its_own);
        self.room = outbox.publish(&mut self.runs);
    }

    /// The same for a call that began `since` and had to wait.
    pub(super) fn report_waited(
        &mut self,
        outbox: &Outbox,
        index: ItemIndex,
        encoded: Result<(), Box<Failure>>,
        since: Instant,
    ) {
        let now = self.restart_watch();
        self.watch.waited(index, since, now);
        // What is measured next is not the time of this call.
        self.unmeasured = true;
        self.report(outbox, index, encoded);
    }

    /// Sends what there is: nothing else is ready to run.
    pub(super) fn flush(&mut self, outbox: &Outbox) {
        self.hand_over(outbox);
        outbox.flush();
    }

    /// Leaves what there is to the link: other code of the user's gets the thread, and may keep it.
    pub(super) fn hand_over(&mut self, outbox: &Outbox) {
        if !self.runs.is_empty() {
            self.room = outbox.publish(&mut self.runs);
        }
    }

    #[cold]
    fn push_failure(&mut self, index: ItemIndex, failure: &Failure) {
        // What was encoded is not in `runs`, so its counts are still to be told.
        let mut more = Vec::new();
        tally::take(index, &mut more);
        self.counts.append(&mut more);
        self.stdout.end(index);
        let tally = TallyParts {
            counts: &self.counts,
            stdout: self.stdout.printed(),
        };
        let heading = Heading {
            tag: RecordTag::Failure,
            tally: tally.if_any(),
        };
        self.runs
            .push_outcome(index, heading, failure, usize::MAX)
            .expect("a failure has short texts and always encodes");
    }
}
