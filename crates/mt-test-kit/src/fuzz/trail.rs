//! What an input has made happen.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What a target notes of what happens, so that inputs that show something new can be told from others.
#[derive(Debug, Default)]
pub struct Trail {
    notes: Vec<u64>,
    last: u64,
}

impl Trail {
    /// The most notes of one input; what comes later is not told apart.
    const MOST: usize = 512;

    /// Something happened. To be kept coarse: a kind of message, an error, a state, but no ids or sizes.
    pub fn note(&mut self, what: impl Hash) {
        if self.notes.len() >= Self::MOST {
            return;
        }
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let what = hasher.finish();
        self.notes.push(what);
        self.notes.push(what.rotate_left(1) ^ self.last);
        self.last = what;
    }

    pub(super) fn notes(&self) -> &[u64] {
        &self.notes
    }

    pub(super) fn clear(&mut self) {
        self.notes.clear();
        self.last = 0;
    }
}
