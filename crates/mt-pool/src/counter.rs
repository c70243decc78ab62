//! A counter that worker processes add to.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, LazyLock, Mutex, OnceLock, Weak,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use mt_proto::{CounterId, Tally};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{current::random_seed, executor, init, lock::lock};

/// A number that calls in any worker process, and threads of this one, may add to. Starts at 0.
///
/// A counter crosses to workers in the [shared value](crate::AsynPmap::shared), in an item or in a context's
/// config; clones count together. What a call adds travels with its outcome. So
/// [`value`](Self::value) holds exactly what was added in this process, and by the calls whose outcomes
/// were handed out here, whatever these are: results, errors, panics. A call whose worker died, or whose
/// error is tried again, has added nothing; the one that takes its place has. (In the seed every
/// addition shows at once, and counts twice when a call is made twice.)
///
/// What a call adds is what is added on the thread it runs on; a plain function may also add on other
/// threads before it returns. Whatever else is added in a worker (by an `init`, a context, a detached
/// thread) comes with the outcome that leaves it next, if there is one.
///
/// ```
/// use mt_pool::{Counter, asyn_pmap};
///
/// #[mt_pool::task]
/// fn length(#[shared] words: &Counter, text: String) -> usize {
///     words.increment_by(text.split_whitespace().count() as i64);
///     text.len()
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let words = Counter::new();
///     let texts = ["to be", "or", "not to be"].map(String::from);
///     let run = asyn_pmap::<length>(texts).shared(words.clone()).start()?;
///     assert_eq!(run.into_iter().map(Result::unwrap).sum::<usize>(), 16);
///     assert_eq!(words.value(), 6);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Counter {
    inner: Arc<CounterInner>,
}

struct CounterInner {
    id: CounterId,
    value: AtomicI64,
}

/// The counters of this process that live, for finding them by their number.
static LIVING: LazyLock<Mutex<HashMap<u64, Weak<CounterInner>>>> = LazyLock::new(Mutex::default);

impl Counter {
    /// A counter at 0.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            inner: CounterInner::own(number),
        }
    }

    /// Adds 1.
    pub fn increment(&self) {
        self.increment_by(1);
    }

    /// Adds `n`, which may be negative. Wraps around at the ends of `i64`.
    pub fn increment_by(&self, n: i64) {
        self.inner.value.fetch_add(n, Ordering::Relaxed);
        count_above(self.inner.id, n);
    }

    /// What was added so far. Only the process that made the counter knows all of it; in a worker this
    /// is what was added to this counter and its clones since they came there.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.inner.value.load(Ordering::Relaxed)
    }
}

/// Adds what a call has counted, now that its outcome is handed out.
#[inline]
pub(crate) fn settle(tally: Tally<'_>) {
    if !tally.is_empty() {
        settle_some(tally);
    }
}

#[cold]
fn settle_some(tally: Tally<'_>) {
    for count in tally.counts() {
        // In a run inside a task, of a process further up.
        count_above(count.counter, count.by);
        if count.counter.process != this_process() {
            continue;
        }
        let living = lock(&LIVING);
        let found = living.get(&count.counter.number);
        if let Some(inner) = found.and_then(Weak::upgrade) {
            inner.value.fetch_add(count.by, Ordering::Relaxed);
            // Dropping the last one takes the lock.
            drop(living);
        }
    }
}

/// Tells the process that has made a counter, if it is above this one.
fn count_above(counter: CounterId, by: i64) {
    if counter.process != this_process() && init::is_worker() {
        executor::count(counter, by);
    }
}

/// The number this process's counters have, and no other's.
fn this_process() -> u64 {
    static THIS: OnceLock<u64> = OnceLock::new();
    *THIS.get_or_init(random_seed)
}

impl CounterInner {
    fn new(id: CounterId) -> Arc<Self> {
        Arc::new(Self {
            id,
            value: AtomicI64::new(0),
        })
    }

    /// The counter of this process with this number: the living one, or a new one.
    fn own(number: u64) -> Arc<Self> {
        let mut living = lock(&LIVING);
        if let Some(inner) = living.get(&number).and_then(Weak::upgrade) {
            return inner;
        }
        let process = this_process();
        let inner = Self::new(CounterId { process, number });
        living.insert(number, Arc::downgrade(&inner));
        inner
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for CounterInner {
    fn drop(&mut self) {
        if self.id.process != this_process() {
            return;
        }
        let mut living = lock(&LIVING);
        let own = living.get(&self.id.number);
        // One that has taken its place meanwhile stays.
        if own.is_some_and(|own| own.strong_count() == 0) {
            living.remove(&self.id.number);
        }
    }
}

impl Serialize for Counter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.id.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = CounterId::deserialize(deserializer)?;
        let inner = if id.process == this_process() {
            CounterInner::own(id.number)
        } else {
            CounterInner::new(id)
        };
        Ok(Self { inner })
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counter").field(&self.value()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use mt_proto::{Heading, RecordTag, Records, SegmentWriter, TallyParts, decode_strict, encode};

    use super::*;

    fn sent(counter: &Counter) -> Counter {
        decode_strict(&encode(counter, 100).expect("encodes")).expect("decodes")
    }

    #[test]
    fn threads_and_clones_count_together() {
        let counter = Counter::new();
        thread::scope(|scope| {
            for _ in 0..4 {
                let clone = counter.clone();
                scope.spawn(move || (0..1000).for_each(|_| clone.increment()));
            }
        });
        counter.increment_by(-1);
        assert_eq!(counter.value(), 3999);
        assert_eq!(Counter::new().value(), 0);
    }

    #[test]
    fn one_that_comes_back_is_the_same() {
        let counter = Counter::new();
        sent(&counter).increment();
        assert_eq!(counter.value(), 1);
        let bytes = encode(&counter, 100).expect("encodes");
        drop(counter);
        let again: Counter = decode_strict(&bytes).expect("decodes");
        assert_eq!(again.value(), 0, "nobody kept it");
    }

    #[test]
    fn what_is_counted_for_a_counter_that_is_gone_is_nobodys() {
        let (kept, gone) = (Counter::new(), Counter::new());
        let counts = [(&kept, 3), (&gone, 4)].map(|(counter, by)| mt_proto::Count {
            counter: counter.inner.id,
            by,
        });
        drop(gone);
        let mut writer = SegmentWriter::new();
        let heading = Heading {
            tag: RecordTag::Value,
            tally: Some(&TallyParts {
                counts: &counts,
                stdout: None,
            }),
        };
        let pushed = writer.push_outcome(Default::default(), heading, &(), 100);
        pushed.expect("encodes");
        let frame = writer.take().into_bytes();
        // After the headers of the frame and of the run.
        let mut records = Records::new(frame.slice(5 + 12..));
        let settled = records.next_tallied(|_, tally, _| settle(tally));
        assert_eq!(settled, Ok(Some(())));
        assert_eq!(kept.value(), 3);
    }
}
