//! Which items of a piece are done.
//!
//! Pure: no IO, no clock, no runtime.

/// Which items of a piece are done. Items mostly finish in order, so a count does for most.
#[derive(Debug, Default)]
pub(super) struct DoneItems {
    /// All before this are done.
    prefix: u32,
    /// Later ones, as bits from offset 0.
    later: Vec<u64>,
    later_count: u32,
}

impl DoneItems {
    pub(super) fn count(&self) -> u32 {
        self.prefix + self.later_count
    }

    pub(super) fn contains(&self, offset: u32) -> bool {
        offset < self.prefix || self.bit(offset)
    }

    /// All before this one are.
    pub(super) fn prefix(&self) -> u32 {
        self.prefix
    }

    fn bit(&self, offset: u32) -> bool {
        let word = self.later.get(offset as usize / 64).copied().unwrap_or(0);
        word >> (offset % 64) & 1 == 1
    }

    /// How many from `offset` on, at most `most`, are not done; the first is not.
    pub(super) fn open_from(&self, offset: u32, most: u32) -> u32 {
        if self.later_count == 0 {
            return most;
        }
        let open = (offset..offset + most).take_while(|&o| !self.bit(o));
        open.count() as u32
    }

    /// Marks items as done that are not.
    pub(super) fn mark(&mut self, offset: u32, count: u32) {
        let range = offset..offset + count;
        if offset == self.prefix {
            self.prefix += count;
            self.absorb();
            return;
        }
        let words = (range.end as usize).div_ceil(64);
        if self.later.len() < words {
            self.later.resize(words, 0);
        }
        for o in range {
            self.later[o as usize / 64] |= 1 << (o % 64);
        }
        self.later_count += count;
    }

    /// Moves what the prefix has reached out of the bits.
    fn absorb(&mut self) {
        while self.later_count > 0 && self.bit(self.prefix) {
            self.later[self.prefix as usize / 64] &= !(1 << (self.prefix % 64));
            self.prefix += 1;
            self.later_count -= 1;
        }
    }
}
