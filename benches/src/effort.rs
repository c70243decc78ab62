//! How much is done of a row: what a figure needs, or just enough to see that the row runs.

use crate::measure::Load;

/// How much is done of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As much as a figure needs.
    Full,
    /// About a hundredth of it: what is measured says nothing.
    Quick,
}

impl Effort {
    /// The first when figures are wanted.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }

    /// So many, or a hundredth of it but not less than ten.
    pub(crate) fn count(self, full: u64) -> u64 {
        self.pick(full, (full / 100).max(10))
    }

    /// The same of a load.
    pub(crate) fn load(self, full: Load) -> Load {
        let warm_up = self.pick(full.warm_up, full.warm_up / 100);
        Load::new(warm_up, self.count(full.items))
    }
}
