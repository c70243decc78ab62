//! The options of a run about time, memory, age and trying again.

use std::{sync::Arc, time::Duration};

use mt_proto::decode_strict;

use super::{AsynPmap, Recycle};
use crate::{Pool, Task, dispatch::RetryIf};

/// # Time
impl<T: Task> AsynPmap<T> {
    /// How long an item may wait between being pulled from the input and being started, at least 1 ms.
    /// One that waits longer gets [`TimedOut`](crate::TaskErrorKind::TimedOut) and is never started.
    /// Default: no limit.
    ///
    /// An input that is pulled faster than it is worked off lets up to
    /// [`capacity`](Self::capacity) items wait; set that too if waiting matters. The one item that waits in
    /// a worker whose plain function is busy has its outcome when that call is over.
    pub fn queue_deadline(mut self, limit: Duration) -> Self {
        self.options.queue_deadline = Some(limit);
        self
    }

    /// How long a call may take before it is asked to end, at least 1 ms: an `async` call is cancelled at
    /// its next `await` (dropped), a plain function can ask [`is_cancelled`](crate::is_cancelled). The
    /// worker goes on. Default: no limit.
    pub fn soft_deadline(mut self, limit: Duration) -> Self {
        self.options.soft_deadline = Some(limit);
        self
    }

    /// How long a call may take before it is ended, whatever it does (an endless loop, a blocking C
    /// call), at least 1 ms. Its worker gets `SIGTERM`, after [`kill_grace`](Self::kill_grace)
    /// `SIGKILL`, with everything it has started; other items that ran in it are run again elsewhere,
    /// and are not charged with it (but with a [`crash_limit`](Self::crash_limit) of 1, which forbids that,
    /// they are [`Crashed`](crate::TaskErrorKind::Crashed)). The outcome comes when the process is gone. A
    /// result that comes before it is gone counts. Default: no limit.
    ///
    /// What runs is looked at every 25 ms (four times a deadline, if that is shorter), and at the very
    /// moment a deadline passes, so a call may run up to that much longer. An `async` call that blocks the
    /// thread holds up the others in its worker; their time stands still meanwhile, its own does not. Time
    /// in which the parent itself was not running (a suspended machine) does not count.
    pub fn hard_deadline(mut self, limit: Duration) -> Self {
        self.options.hard_deadline = Some(limit);
        self
    }

    /// How long a worker has between `SIGTERM` and `SIGKILL`. Default 50 ms.
    pub fn kill_grace(mut self, grace: Duration) -> Self {
        self.options.kill_grace = grace;
        self
    }

    /// How long a worker's [`init`](Self::init) may take, at least 1 ms. Default 60 s. A worker that
    /// takes longer is killed and replaced under the [restart budget](Self::restart_budget).
    pub fn init_deadline(mut self, limit: Duration) -> Self {
        self.options.init_deadline = limit;
        self
    }

    /// How long opening and closing a [`Context`](crate::Context) may take each, at least 1 ms. The items
    /// of a batch whose context takes longer get [`Context`](crate::TaskErrorKind::Context). Default: no
    /// limit. Works at the context's next `await`; one that blocks its thread is ended by the
    /// [`hard_deadline`](Self::hard_deadline) of the item it is opened for. A close that blocks is no item's;
    /// in the middle of a run only [`LivenessPolicy::blocked`](crate::LivenessPolicy::blocked) sees it.
    pub fn context_deadline(mut self, limit: Duration) -> Self {
        self.options.context_deadline = Some(limit);
        self
    }
}

/// # Memory
impl<T: Task> AsynPmap<T> {
    /// The most bytes of resident memory a worker may use, looked at every 100 ms, also in the middle of
    /// a call. One that uses more is killed. If one item was running in it, that item is tried again
    /// alone in a fresh worker ([`oom_retries`](Self::oom_retries)) and then gets
    /// [`MemoryExceeded`](crate::TaskErrorKind::MemoryExceeded); if several were, each is run alone in a
    /// fresh worker to see which it is. A worker that grows too large before it has finished anything and
    /// while nothing runs (in its [`init`](Self::init), say) counts against the
    /// [restart budget](Self::restart_budget). At least 1. Default: no limit.
    pub fn max_rss(mut self, bytes: u64) -> Self {
        self.options.memory.max_rss = Some(bytes);
        self
    }

    /// How often an item is tried again, alone in a fresh worker, after a worker was killed for its
    /// memory while nothing else ran in it. Default 1: the first time it may have been what earlier items
    /// had left behind. Without effect with a [`crash_limit`](Self::crash_limit) of 1, with which nothing is
    /// started twice.
    pub fn oom_retries(mut self, times: u32) -> Self {
        self.options.memory.oom_retries = times;
        self
    }

    /// The most bytes of resident memory all workers may use together. From 90 % of it on, one item runs
    /// at a time and idle workers are sent home; above it the youngest worker is killed, and its items are
    /// run again later, not charged with it. At least 1. Default: no limit.
    pub fn memory_budget(mut self, bytes: u64) -> Self {
        self.options.memory.budget = Some(bytes);
        self
    }

    /// The used part of the machine's (or container's) memory above which one item runs at a time, whoever
    /// uses it: 0 to 1, `None` for never. Default 0.9, as
    /// [`used_memory_too_much`](crate::used_memory_too_much) has it.
    pub fn pause_above_memory(mut self, fraction: Option<f64>) -> Self {
        self.options.memory_high = fraction;
        self
    }
}

/// # Workers
impl<T: Task> AsynPmap<T> {
    /// When workers are replaced by fresh ones. Default: never.
    pub fn recycle(mut self, recycle: Recycle) -> Self {
        self.options.recycle = recycle;
        self
    }

    /// Uses the workers of a pool, and leaves them there for the next run. Default: the run's own, which
    /// end with it.
    pub fn pool(mut self, pool: &Pool) -> Self {
        self.pool = Some(pool.clone());
        self
    }

    /// The workers that are started with the run and kept when there is nothing to do, at most
    /// [`pool_processes`](Self::pool_processes). Default 0: all are started on demand.
    pub fn min_processes(mut self, processes: usize) -> Self {
        self.options.min_processes = processes;
        self
    }

    /// What [`task_rng`](crate::task_rng) is made from, together with each item's index. Default: chosen
    /// at random.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }
}

/// # Trying again
impl<T: Task> AsynPmap<T> {
    /// How often an item is tried again when the function returns an error. Default 0. Deaths and memory
    /// have counts of their own ([`crash_limit`](Self::crash_limit),
    /// [`oom_retries`](Self::oom_retries)); a panic is not tried again.
    ///
    /// Between two tries it waits 10 ms, doubled each time up to 10 s, half of that at random
    /// ([`retry_pause`](Self::retry_pause)).
    pub fn retries(mut self, times: u32) -> Self {
        self.options.retry.limit = times;
        self
    }

    /// Tries again only errors for which this is true. Default: all. It is called on the run's own
    /// thread and should be quick; if it panics, the error is not tried again.
    pub fn retry_if(
        mut self,
        worth_it: impl Fn(&T::Error) -> bool + Send + Sync + 'static,
    ) -> Self {
        let wants = move |encoded: &[u8]| {
            let asked = std::panic::AssertUnwindSafe(|| {
                let error = decode_strict::<T::Error>(encoded);
                error.is_ok_and(|error| worth_it(&error))
            });
            std::panic::catch_unwind(asked).unwrap_or(false)
        };
        self.options.retry.wants = Some(RetryIf(Arc::new(wants)));
        self
    }

    /// The pause before an item's first retry, doubled for each after, and the longest. Default 10 ms and
    /// 10 s.
    pub fn retry_pause(mut self, first: Duration, longest: Duration) -> Self {
        self.options.retry.first_pause = first;
        self.options.retry.longest_pause = longest.max(first);
        self
    }
}
