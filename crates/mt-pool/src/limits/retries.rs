//! Which errors are tried again, and when.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use mt_proto::{Attachments, Kept, decode_item_attached, guarded};

use super::check::reckonable;
use crate::{Wire, error::StartError};

/// How often an item is tried again when the function returns an error of type `E`. Deaths and memory have
/// counts of their own ([`crash_limit`](crate::AsynPmap::crash_limit),
/// [`oom_retries`](super::MemoryLimits::oom_retries)); a panic is not tried again.
///
/// A number will do where nothing but that is said: `.retries(2)`.
#[must_use = "it is given to a run by `retries`"]
pub struct Retries<E = ()> {
    pub(crate) limit: u32,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
    wants: Option<Arc<Kept<Predicate>>>,
    error: PhantomData<fn(&E)>,
}

/// Tells from an encoded error whether to try again.
type Predicate = Box<dyn Fn(&[u8], &Attachments) -> bool + Send + Sync>;

impl<E> Retries<E> {
    /// So many times. Default 0.
    ///
    /// Between two tries an item waits 10 ms, doubled each time up to 10 s, half of that at random
    /// ([`pause`](Self::pause)).
    pub fn new(times: u32) -> Self {
        Self {
            limit: times,
            first_pause: Duration::from_millis(10),
            longest_pause: Duration::from_secs(10),
            wants: None,
            error: PhantomData,
        }
    }

    /// Tries again only errors for which this is true. Default: all. It is called on the run's own
    /// thread and should be quick; if it panics, the error is not tried again.
    pub fn only_if(mut self, worth_it: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self
    where
        E: Wire,
    {
        let wants = move |encoded: &[u8], beside: &Attachments| {
            let error = guarded(|| decode_item_attached::<E>(encoded, beside));
            let error = error.ok().and_then(Result::ok).map(Kept::new);
            error.is_some_and(|error| guarded(|| worth_it(&error)).unwrap_or(false))
        };
        self.wants = Some(Arc::new(Kept::new(Box::new(wants))));
        self
    }

    /// The pause before an item's first retry, doubled for each after, and the longest, which is not
    /// shorter. Default 10 ms and 10 s.
    pub fn pause(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = reckonable(first);
        self.longest_pause = reckonable(longest);
        self
    }

    pub(crate) fn wants(&self, encoded: &[u8], beside: &Attachments) -> bool {
        self.wants
            .as_ref()
            .is_none_or(|wants| wants(encoded, beside))
    }

    /// The same, for those who do not know the type.
    pub(crate) fn of_any_error(self) -> Retries {
        Retries {
            limit: self.limit,
            first_pause: self.first_pause,
            longest_pause: self.longest_pause,
            wants: self.wants,
            error: PhantomData,
        }
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        if self.first_pause <= self.longest_pause {
            return Ok(());
        }
        let (first, longest) = (self.first_pause, self.longest_pause);
        let problem = format!("is {first:?} at first and {longest:?} at the longest");
        let option = "retries.pause";
        Err(StartError::Option { option, problem })
    }
}

impl<E> Default for Retries<E> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<E> From<u32> for Retries<E> {
    fn from(times: u32) -> Self {
        Self::new(times)
    }
}

impl<E> Clone for Retries<E> {
    fn clone(&self) -> Self {
        Self {
            wants: self.wants.clone(),
            ..*self
        }
    }
}

impl<E> fmt::Debug for Retries<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retries")
            .field("limit", &self.limit)
            .field("first_pause", &self.first_pause)
            .field("longest_pause", &self.longest_pause)
            .finish_non_exhaustive()
    }
}
