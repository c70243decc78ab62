//! Chance that can be had again: from a seed, or from bytes of a fuzzer while they last.

/// The choices of a random run. The same seed, or the same bytes, make the same choices.
#[derive(Debug, Clone)]
pub struct Dice<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl Dice<'static> {
    /// The choices of this seed.
    pub fn seeded(seed: u64) -> Self {
        let bytes = &[];
        Self { bytes, state: seed }
    }
}

impl<'a> Dice<'a> {
    /// The choices that these bytes are; when they are used up, those of a fixed seed.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, state: 0 }
    }

    /// Any number (splitmix64).
    pub fn roll(&mut self) -> u64 {
        if let Some((bytes, rest)) = self.bytes.split_first_chunk() {
            self.bytes = rest;
            return u64::from_le_bytes(*bytes);
        }
        self.bytes = &[];
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `sides` - 1. Uses up one byte where that is enough to choose.
    pub fn below(&mut self, sides: u64) -> u64 {
        match self.bytes {
            [first, rest @ ..] if sides <= 256 => {
                self.bytes = rest;
                u64::from(*first) % sides
            }
            _ => self.roll() % sides,
        }
    }

    /// True once in so many times.
    pub fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }

    /// One of these, of which there is at least one.
    pub fn one_of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// One of these; `None` of none.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| self.one_of(from))
    }

    /// A copy of one of these; an empty one of none.
    pub(crate) fn pick_of(&mut self, from: &[Vec<u8>]) -> Vec<u8> {
        let at = self.below(from.len().max(1) as u64) as usize;
        from.get(at).cloned().unwrap_or_default()
    }
}
