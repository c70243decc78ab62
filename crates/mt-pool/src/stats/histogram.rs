//! How long something has taken, each time it was done: counts by length, in buckets that get longer with what they hold.
//!
//! The buckets are those of HdrHistogram (Gil Tene): each power of two is divided into as many equal parts, so every bucket
//! is as long as the same share of what is in it, and finding it takes a look at the leading bits. What is told of a time is
//! at most 1/32, 3.2 %, away from it, and there are some 500 counters whatever is recorded.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Each power of two is divided into two to the power of so many parts.
const PART_BITS: u32 = 4;
const PARTS: usize = 1 << PART_BITS;
/// Times up to two to the power of so many nanoseconds, 1.024 µs, are one bucket.
const LEAST_BITS: u32 = 10;
/// The powers of two that are divided: up to 2⁴² ns, 73 minutes. Longer times are one bucket again.
const POWERS: u32 = 32;
const LAST: usize = 1 + POWERS as usize * PARTS;
const BUCKETS: usize = LAST + 1;

/// How long something has taken, each time it was done. A snapshot.
///
/// Times from 1.024 µs to 73 minutes are kept to within 3.2 %; shorter ones are not told from each other, and of longer
/// ones the longest is known. Their sum is kept to the microsecond of each.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Box<[u64]>,
    sum_micros: u64,
    max_nanos: u64,
}

impl Histogram {
    /// How far a [quantile](Self::quantile) may be from the time that it stands for, as a share of that: 1/32. Holds for
    /// times from 1.024 µs to 73 minutes.
    pub const RELATIVE_ERROR: f64 = 1.0 / (2 * PARTS) as f64;

    /// How many times are in it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All times together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_micros)
    }

    /// The mean of all times; `None` of nothing.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let count = self.count();
        (count > 0).then(|| self.sum().div_f64(count as f64))
    }

    /// The longest of them, exactly; `None` of nothing.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_nanos(self.max_nanos))
    }

    /// The time that a share `q` of all do not exceed (0.5: the median, 0.99: the 99th percentile), by nearest rank, to
    /// within [`RELATIVE_ERROR`](Self::RELATIVE_ERROR); `None` of nothing. `q` is 0 to 1: less means 0, and more 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let count = self.count();
        let rank = (q.clamp(0.0, 1.0) * count as f64).ceil() as u64;
        let rank = rank.clamp(1, count.max(1));
        let mut below = 0;
        let at = self.counts.iter().position(|in_bucket| {
            below += in_bucket;
            below >= rank
        })?;
        Some(Duration::from_nanos(middle_of(at).min(self.max_nanos)))
    }

    /// How many did not take longer than each of 33 bounds, which double from 1.024 µs to 73 minutes and are always the
    /// same: what the exposition format of Prometheus has as `_bucket` with `le`, but for the last, `+Inf`, which is
    /// [`count`](Self::count). Exact.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let (mut from, mut below) = (0, 0);
        (0..=POWERS).map(move |power| {
            let to = 1 + power as usize * PARTS;
            below += self.counts[from..to].iter().sum::<u64>();
            from = to;
            (Duration::from_nanos(1 << (LEAST_BITS + power)), below)
        })
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS].into(),
            sum_micros: 0,
            max_nanos: 0,
        }
    }
}

/// What there is to say of it in a line, and not the counts.
impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("mean", &self.mean())
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}

/// A histogram that is being recorded, by any threads: no lock, no memory asked for.
#[derive(Debug)]
pub(crate) struct LiveHistogram {
    counts: Box<[AtomicU64]>,
    sum_micros: AtomicU64,
    max_nanos: AtomicU64,
}

impl LiveHistogram {
    /// Records a time that was taken so many times over.
    pub(crate) fn record(&self, time: Duration, times: u32) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let times = u64::from(times);
        // Rounded: cut off, each would be half a microsecond short in the mean.
        let micros = (nanos / 1000 + u64::from(nanos % 1000 >= 500)).saturating_mul(times);
        self.counts[bucket_of(nanos)].fetch_add(times, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
        if self.max_nanos.load(Ordering::Relaxed) < nanos {
            self.max_nanos.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    pub(crate) fn snapshot(&self) -> Histogram {
        let counts = self.counts.iter();
        Histogram {
            counts: counts.map(|count| count.load(Ordering::Relaxed)).collect(),
            sum_micros: self.sum_micros.load(Ordering::Relaxed),
            max_nanos: self.max_nanos.load(Ordering::Relaxed),
        }
    }
}

impl Default for LiveHistogram {
    fn default() -> Self {
        Self {
            counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            sum_micros: AtomicU64::new(0),
            max_nanos: AtomicU64::new(0),
        }
    }
}

/// The bucket of a time. A bucket has its upper bound in it, and not its lower one.
fn bucket_of(nanos: u64) -> usize {
    let before = nanos.saturating_sub(1);
    let Some(power) = (before >> LEAST_BITS).checked_ilog2() else {
        return 0;
    };
    if power >= POWERS {
        return LAST;
    }
    let part = (before >> (power + LEAST_BITS - PART_BITS)) as usize % PARTS;
    1 + power as usize * PARTS + part
}

/// The nanoseconds in the middle of a bucket.
fn middle_of(bucket: usize) -> u64 {
    match bucket {
        0 => 1 << LEAST_BITS,
        LAST.. => u64::MAX,
        _ => {
            let (power, part) = ((bucket - 1) / PARTS, (bucket - 1) % PARTS);
            let halves = 2 * (PARTS + part) + 1;
            (halves as u64) << (power as u32 + LEAST_BITS - PART_BITS - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(nanos: &[u64]) -> Histogram {
        let live = LiveHistogram::default();
        for &nanos in nanos {
            live.record(Duration::from_nanos(nanos), 1);
        }
        live.snapshot()
    }

    /// Case M227: A bucket ends where the next begins, has its upper bound in it, and is 1/16 of it long at most; what is told
    /// of its times is in its middle.
    #[test]
    fn buckets_have_no_gaps_and_their_bounds() {
        let mut lower = 1 << LEAST_BITS;
        for bucket in 1..LAST {
            let half = middle_of(bucket) - lower;
            let upper = lower + 2 * half;
            assert_eq!(
                (bucket_of(lower + 1), bucket_of(upper)),
                (bucket, bucket),
                "{lower}"
            );
            assert!(16 * 2 * half <= lower, "{lower}");
            lower = upper;
        }
        assert_eq!(lower, 1 << (LEAST_BITS + POWERS));
        assert_eq!([0, 1, 1024].map(bucket_of), [0; 3]);
        assert_eq!([lower + 1, u64::MAX].map(bucket_of), [LAST; 2]);
    }

    #[test]
    fn nothing_has_no_quantile() {
        let nothing = Histogram::default();
        assert_eq!(nothing, LiveHistogram::default().snapshot());
        assert_eq!((nothing.count(), nothing.sum()), (0, Duration::ZERO));
        let none = [nothing.mean(), nothing.max(), nothing.quantile(0.5)];
        assert_eq!(none, [None; 3]);
        assert!(nothing.buckets().all(|(_, count)| count == 0));
    }

    #[test]
    fn what_is_out_of_range_is_counted_all_the_same() {
        let hours = Duration::from_secs(7200).as_nanos() as u64;
        let odd = of(&[0, hours]);
        assert_eq!(odd.quantile(0.0), Some(Duration::from_nanos(1024)));
        assert_eq!(odd.quantile(1.0), Some(Duration::from_secs(7200)));
        assert_eq!(odd.quantile(f64::NAN), odd.quantile(0.0));
        let (bound, below) = odd.buckets().last().unwrap();
        assert_eq!((bound.as_nanos(), below, odd.count()), (1 << 42, 1, 2));
        let many = LiveHistogram::default();
        many.record(Duration::from_millis(2), 1000);
        let many = many.snapshot();
        assert_eq!((many.count(), many.sum()), (1000, Duration::from_secs(2)));
        assert_eq!(many.mean(), many.max());
    }

    fn nanos() -> impl Strategy<Value = Vec<u64>> {
        // As many of each power of two.
        let one = (10_u32..42, any::<u64>()).prop_map(|(power, any)| {
            let least = 1 << power;
            least + 1 + any % least
        });
        prop::collection::vec(one, 1..300)
    }

    proptest! {
        /// Case M228: A quantile of a histogram is within 1/32 of the time that has its rank, whatever was recorded, and its
        /// counts below bounds are exact.
        #[test]
        fn quantiles_are_near(mut nanos in nanos(), q in 0.0..=1.0_f64) {
            let q: f64 = q;
            let found = of(&nanos);
            nanos.sort_unstable();
            let rank = ((q * nanos.len() as f64).ceil() as usize).max(1);
            let exact = nanos[rank - 1] as f64;
            let told = found.quantile(q).unwrap().as_nanos() as f64;
            prop_assert!((told - exact).abs() <= exact * Histogram::RELATIVE_ERROR, "{told} for {exact}");
            prop_assert_eq!(found.max().unwrap().as_nanos(), u128::from(*nanos.last().unwrap()));
            for (bound, count) in found.buckets() {
                let below = nanos.iter().filter(|&&one| u128::from(one) <= bound.as_nanos());
                prop_assert_eq!(below.count() as u64, count);
            }
            let sum: u64 = nanos.iter().sum();
            let half_micros = nanos.len() as u64 * 500;
            prop_assert!(sum.abs_diff(found.sum().as_nanos() as u64) <= half_micros);
        }
    }
}
