//! What a store is made of.

use serde::{Deserialize, Serialize};

#[cfg(feature = "s3")]
use crate::s3::S3Config;
use crate::{OutOfRange, limits::HostLimits, retry::RetryPolicy};

/// The smallest part that S3 takes, but for the last.
const MIN_PART_BYTES: u64 = 5 << 20;
/// The largest part, for memory's sake: S3 would take 5 GiB.
const MAX_PART_BYTES: u64 = 1 << 30;

/// What a [`Store`](super::Store) is made of. Crosses to workers.
///
/// | option | range | default | why |
/// |---|---|---|---|
/// | `s3`, with the feature | | none: `s3://` is an error | no credentials are looked for that nobody has named |
/// | [`retry`](Self::retry) | | [`RetryPolicy::new`] | |
/// | [`part_bytes`](Self::part_bytes) | 5 MiB to 1 GiB | 8 MiB | as boto3; up to 80 GB an object without larger parts |
/// | [`parts_at_once`](Self::parts_at_once) | 1 to 1024 | 4 | with 8 MiB each, 32 MiB in memory, for a store and all that is put at a time |
/// | [`limits`](Self::limits) | | [`HostLimits::none`] | S3 takes thousands of requests a second, and says when they are too many |
/// | [`sync`](Self::sync) | | yes | a file that has its name is whole after a loss of power too |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreConfig {
    #[cfg(feature = "s3")]
    pub(crate) s3: Option<S3Config>,
    pub(crate) retry: RetryPolicy,
    pub(crate) part_bytes: u64,
    pub(crate) parts_at_once: u32,
    pub(crate) limits: HostLimits,
    pub(crate) sync: bool,
}

impl StoreConfig {
    /// The defaults of the table above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            #[cfg(feature = "s3")]
            s3: None,
            retry: RetryPolicy::new(),
            part_bytes: 8 << 20,
            parts_at_once: 4,
            limits: HostLimits::none(),
            sync: true,
        }
    }

    /// Which S3, and with which credentials.
    #[cfg(feature = "s3")]
    #[must_use]
    pub fn s3(mut self, s3: S3Config) -> Self {
        self.s3 = Some(s3);
        self
    }

    /// When a request that failed is sent again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// What is longer is put in parts of this size; larger ones where an object would have more than 10,000.
    #[must_use]
    pub fn part_bytes(mut self, bytes: u64) -> Self {
        self.part_bytes = bytes;
        self
    }

    /// How many bodies and parts that come from files and streams are in memory and on their way at once, of all that a
    /// store puts.
    #[must_use]
    pub fn parts_at_once(mut self, parts: u32) -> Self {
        self.parts_at_once = parts;
        self
    }

    /// How many requests the server gets at once from a worker process, and how many in a time: of all its stores that
    /// have the same limits. A request counts up to the last byte of its answer, so a reader that is left alone keeps its
    /// place, and with `concurrency(1)` nothing else is asked for meanwhile. The time in which a request waits for its turn
    /// is part of the policy's total. For `s3://` alone.
    #[must_use]
    pub fn limits(mut self, limits: HostLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether a file that an object is written to is on the disk before it gets its name.
    #[must_use]
    pub fn sync(mut self, syncs: bool) -> Self {
        self.sync = syncs;
        self
    }

    /// Whether every option is within its range.
    ///
    /// # Errors
    /// [`OutOfRange`] with the option's name.
    pub fn check(&self) -> Result<(), OutOfRange> {
        if !(MIN_PART_BYTES..=MAX_PART_BYTES).contains(&self.part_bytes) {
            let problem = format!("is {}; it can be 5 MiB to 1 GiB", self.part_bytes);
            return Err(OutOfRange::new("store.part_bytes", problem));
        }
        if !(1..=1024).contains(&self.parts_at_once) {
            let problem = format!("is {}; it can be 1 to 1024", self.parts_at_once);
            return Err(OutOfRange::new("store.parts_at_once", problem));
        }
        self.limits.check()?;
        self.retry.check()
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self::new()
    }
}
