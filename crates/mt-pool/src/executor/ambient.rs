//! What a call may ask about itself, kept beside it on its thread.

use std::{cell::Cell, time::Instant};

use mt_proto::ItemIndex;

/// The call that runs on this thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ambient {
    /// The item it is for.
    pub(crate) index: ItemIndex,
    /// What its random numbers are made from, with the index.
    pub(crate) seed: u64,
    /// When it should be done.
    pub(crate) soft_due: Option<Instant>,
}

thread_local! {
    static CURRENT: Cell<Option<Ambient>> = const { Cell::new(None) };
}

impl Ambient {
    /// Says which call runs on this thread from now on.
    #[inline]
    pub(super) fn enter(self) {
        CURRENT.set(Some(self));
    }

    /// Which call runs on this thread; `None` outside of one.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// No call runs on this thread any more.
    #[inline]
    pub(super) fn leave() {
        CURRENT.set(None);
    }
}
