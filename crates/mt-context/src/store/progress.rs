//! How far a transfer is.

use std::{fmt, sync::Arc};

use super::error::Operation;

/// How far one transfer is, or one listing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// What is done.
    pub operation: Operation,
    /// With which object, or prefix.
    pub url: String,
    /// The bytes that have gone, or come.
    pub done_bytes: u64,
    /// The bytes there are, as far as that is known.
    pub total_bytes: Option<u64>,
    /// The objects that are done: of a listing, those it has come to; of a transfer 1 when it is.
    pub objects: u64,
}

/// Whoever is told of transfers.
pub(super) type Observer = Arc<dyn Fn(&Transfer) + Send + Sync>;

/// Tells of one transfer.
#[derive(Clone)]
pub(super) struct Progress {
    observer: Option<Observer>,
    transfer: Transfer,
}

impl Progress {
    pub(super) fn new(observer: Option<Observer>, operation: Operation, url: String) -> Self {
        let transfer = Transfer {
            operation,
            url,
            done_bytes: 0,
            total_bytes: None,
            objects: 0,
        };
        Self { observer, transfer }
    }

    pub(super) fn total(&mut self, bytes: u64) {
        self.transfer.total_bytes = Some(bytes);
    }

    pub(super) fn add_bytes(&mut self, bytes: u64) {
        self.transfer.done_bytes += bytes;
        self.tell();
    }

    pub(super) fn add_object(&mut self) {
        self.transfer.objects += 1;
        self.tell();
    }

    fn tell(&self) {
        if let Some(observer) = &self.observer {
            observer(&self.transfer);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.transfer.fmt(f)
    }
}
