//! The input of a run that is being described.

use std::{fmt, io};

use mt_proto::Kept;

use super::{FeedEnd, Source, spawn_feeder};
use crate::{Wire, supervision::EndWatch};

/// The input of a run as its builder keeps it. The lifetime is that of what it borrows: a run in a
/// [`Scope`](crate::Scope) is not longer there than what its input borrows, and any other borrows nothing, `'static`.
pub struct RunInput<'a>(Box<dyn Feedable + 'a>);

/// What can be fed to a run, by a thread that it starts.
pub(crate) trait Feedable: Send {
    /// How many items there are, if the input says so exactly.
    fn len(&self) -> Option<u64>;

    /// Starts the thread that pulls the items, which may have `max_item_bytes` encoded, for the run with this end.
    fn start(
        self: Box<Self>,
        feed: FeedEnd,
        end: &EndWatch,
        max_item_bytes: usize,
    ) -> io::Result<()>;
}

impl<'a> RunInput<'a> {
    pub(crate) fn new(input: impl Feedable + 'a) -> Self {
        Self(Box::new(input))
    }

    pub(crate) fn len(&self) -> Option<u64> {
        self.0.len()
    }

    pub(crate) fn start(
        self,
        feed: FeedEnd,
        end: &EndWatch,
        max_item_bytes: usize,
    ) -> io::Result<()> {
        self.0.start(feed, end, max_item_bytes)
    }
}

impl<I: Wire> From<Source<I>> for RunInput<'static> {
    fn from(source: Source<I>) -> Self {
        Self::new(Kept::new(source))
    }
}

impl<I: Wire> Feedable for Kept<Source<I>> {
    fn len(&self) -> Option<u64> {
        Source::len(self)
    }

    fn start(
        self: Box<Self>,
        feed: FeedEnd,
        _: &EndWatch,
        max_item_bytes: usize,
    ) -> io::Result<()> {
        spawn_feeder(*self, feed, max_item_bytes)
    }
}

impl fmt::Debug for RunInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunInput").finish_non_exhaustive()
    }
}
