//! Which works there are.

use std::sync::Arc;

use crate::input::{IntoInput, Source};

/// The works of a run: the numbers below one, or a list.
#[derive(Debug, Clone)]
pub(super) enum WorkIds {
    Below(u64),
    List(Arc<[u64]>),
}

impl WorkIds {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Below(end) => *end,
            Self::List(ids) => ids.len() as u64,
        }
    }

    /// The work at a position of the input.
    pub(super) fn at(&self, position: u64) -> u64 {
        match self {
            Self::Below(_) => position,
            // Positions come from the input, which is made of this list.
            Self::List(ids) => ids[position as usize],
        }
    }

    /// The works as the input of a run.
    pub(super) fn source(&self) -> Source<u64> {
        match self {
            Self::Below(end) => (0..*end).into_source(),
            Self::List(ids) => ids.to_vec().into_source(),
        }
    }
}
