//! What was counted so far.

use std::{collections::BTreeMap, ops::AddAssign};

use crate::task::Digest;

/// Counts of all files. As large as there are kinds.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) by_kind: BTreeMap<String, Counts>,
    pub(crate) total: Counts,
    pub(crate) errors: u64,
    /// Found, but not started before an interrupt.
    pub(crate) left: u64,
}

/// Counts of the files of one kind.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) files: u64,
    pub(crate) size_bytes: u64,
    pub(crate) lines: u64,
    pub(crate) words: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, digest: &Digest) {
        let counts = Counts {
            files: 1,
            size_bytes: digest.size_bytes,
            lines: digest.lines,
            words: digest.words,
        };
        self.total += counts;
        match self.by_kind.get_mut(&digest.kind) {
            Some(known) => *known += counts,
            None => {
                self.by_kind.insert(digest.kind.clone(), counts);
            }
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.size_bytes += other.size_bytes;
        self.lines += other.lines;
        self.words += other.words;
    }
}
