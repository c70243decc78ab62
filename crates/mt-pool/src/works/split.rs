//! Dealing works to buckets at random.

use std::{
    collections::TryReserveError,
    hash::{BuildHasher, Hasher, RandomState},
    thread::available_parallelism,
};

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};

/// Why works can't be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// There is nothing to put them in.
    #[error("works can't be split into 0 buckets; give at least 1, or None for one a processor")]
    NoBuckets,
    /// The ids, 8 bytes each, do not fit into memory.
    #[error("the ids of {num_works} works in {num_buckets} buckets do not fit into memory")]
    TooMany {
        /// The works.
        num_works: u64,
        /// The buckets.
        num_buckets: usize,
    },
}

/// Deals the works 0 … `num_works - 1` at random to `num_buckets` buckets (`None`: as many as this
/// process may use processors), as evenly as can be.
///
/// As if a shuffled pack was dealt round: the sizes of two buckets differ by at most 1 (the first ones
/// have the one more), and every way to deal is equally likely. Ids ascend within a bucket. With more
/// buckets than works some are empty. Takes memory for all ids: 12 bytes a work while it deals, 8
/// after that.
///
/// The pool does not need it: its workers take works as they get on, so that a slow one holds up
/// nobody. It is for when the share of each has to be settled beforehand:
///
/// ```
/// let buckets = mt_pool::works::split_works(10, Some(4))?;
/// let sizes: Vec<usize> = buckets.iter().map(Vec::len).collect();
/// assert_eq!(sizes, [3, 3, 2, 2]);
/// # Ok::<(), mt_pool::works::SplitError>(())
/// ```
///
/// # Errors
/// [`SplitError`]: 0 buckets, or more works than fit into memory.
pub fn split_works(
    num_works: u64,
    num_buckets: Option<usize>,
) -> Result<Vec<Vec<u64>>, SplitError> {
    // Its keys are random, and nothing here is a secret.
    let seed = RandomState::new().build_hasher().finish();
    split_works_seeded(num_works, num_buckets, seed)
}

/// [`split_works`] that deals the same way again for the same arguments, on every machine, as long as
/// the version of this crate is the same.
///
/// ```
/// # // Case M128: `split_works_seeded` deals the same way again for the same seed, and another for another.
/// let buckets = mt_pool::works::split_works_seeded(1000, Some(4), 42)?;
/// assert_eq!(buckets, mt_pool::works::split_works_seeded(1000, Some(4), 42)?);
/// assert_ne!(buckets, mt_pool::works::split_works_seeded(1000, Some(4), 43)?);
/// # Ok::<(), mt_pool::works::SplitError>(())
/// ```
///
/// # Errors
/// As [`split_works`].
pub fn split_works_seeded(
    num_works: u64,
    num_buckets: Option<usize>,
    seed: u64,
) -> Result<Vec<Vec<u64>>, SplitError> {
    let buckets = num_buckets.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    if buckets == 0 {
        return Err(SplitError::NoBuckets);
    }
    deal(num_works, buckets, seed).ok_or(SplitError::TooMany {
        num_works,
        num_buckets: buckets,
    })
}

/// `None`: they do not fit.
fn deal(num_works: u64, num_buckets: usize, seed: u64) -> Option<Vec<Vec<u64>>> {
    let works = usize::try_from(num_works).ok()?;
    // The buckets are shuffled instead of the works, so that these come to theirs in order.
    let mut bucket_of: Vec<u32> = with_room(works).ok()?;
    let round = u32::try_from(num_buckets.min(works)).ok()?;
    bucket_of.extend((0..round).cycle().take(works));
    bucket_of.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));

    let mut buckets = with_room(num_buckets).ok()?;
    for bucket in 0..num_buckets {
        let one_more = usize::from(bucket < works % num_buckets);
        buckets.push(with_room(works / num_buckets + one_more).ok()?);
    }
    for (work, bucket) in (0..num_works).zip(bucket_of) {
        buckets[bucket as usize].push(work);
    }
    Some(buckets)
}

fn with_room<T>(length: usize) -> Result<Vec<T>, TryReserveError> {
    let mut empty = Vec::new();
    empty.try_reserve_exact(length)?;
    Ok(empty)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Case M127: `split_works` puts every work in one bucket, and sizes differ by at most one.
        #[test]
        fn every_work_is_in_one_bucket_and_sizes_are_even(
            works in 0_u64..2000,
            buckets in 1_usize..50,
            seed in any::<u64>(),
        ) {
            let split = split_works_seeded(works, Some(buckets), seed).expect("it fits");
            prop_assert_eq!(split.len(), buckets);
            let sizes = split.iter().map(|bucket| bucket.len() as u64);
            let (few, many) = (works / buckets as u64, works.div_ceil(buckets as u64));
            prop_assert!(sizes.clone().all(|size| size == few || size == many));
            prop_assert!(split.iter().all(|bucket| bucket.is_sorted()));
            let mut all = split.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..works).collect::<Vec<_>>());
        }
    }

    /// Each of the 6 ways to deal 4 works to 2 buckets comes about as often as the others.
    ///
    /// Case M129: Every way to deal works out is equally likely.
    #[test]
    fn every_way_to_deal_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            let split = split_works_seeded(4, Some(2), seed).expect("it fits");
            *counts.entry(split).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn unseeded_splits_differ() {
        let split = || split_works(1000, Some(2)).expect("it fits");
        assert_ne!(split(), split());
    }

    #[test]
    fn as_many_buckets_as_processors() {
        let processors = available_parallelism().expect("there are some").get();
        assert_eq!(
            split_works(5, None).map(|split| split.len()),
            Ok(processors)
        );
    }

    #[test]
    fn nothing_to_split_and_nothing_to_split_into() {
        assert_eq!(split_works(0, Some(2)), Ok(vec![Vec::new(); 2]));
        assert_eq!(split_works(0, Some(0)), Err(SplitError::NoBuckets));
        assert_eq!(split_works(9, Some(0)), Err(SplitError::NoBuckets));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (works, buckets) in [(u64::MAX, 1), (0, usize::MAX), (u64::MAX, usize::MAX)] {
            let error = split_works(works, Some(buckets)).expect_err("it can't fit");
            assert!(error.to_string().contains("do not fit"), "{error}");
        }
    }
}
