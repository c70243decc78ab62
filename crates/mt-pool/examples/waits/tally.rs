//! What became of the requests.

use std::fmt::Display;

use crate::client::Page;

/// Error texts that are shown.
const SHOWN: u64 = 3;

/// Counts of requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) pages: u64,
    pub(crate) not_there: u64,
    pub(crate) errors: u64,
    /// Not begun, because of Ctrl-C.
    pub(crate) left: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// Counts one; of errors the first few are shown.
    pub(crate) fn add<E: Display>(&mut self, result: Result<Option<Page>, E>) {
        match result {
            Ok(Some(page)) => {
                self.pages += 1;
                self.bytes += page.bytes;
            }
            Ok(None) => self.not_there += 1,
            Err(error) => {
                self.errors += 1;
                if self.errors <= SHOWN {
                    eprintln!("{error}");
                }
            }
        }
    }

    /// The requests that were answered.
    pub(crate) fn done(&self) -> u64 {
        self.pages + self.not_there + self.errors
    }
}
