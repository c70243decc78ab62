//! Memory that is used, of a limit.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Used, without page cache.
    pub(crate) used_bytes: u64,
    /// The most there can be; never 0.
    pub(crate) limit_bytes: u64,
}

impl Memory {
    /// `None` without a limit. What is used is never more than that.
    pub(super) fn new(used_bytes: u64, limit_bytes: u64) -> Option<Self> {
        (limit_bytes > 0).then_some(Self {
            used_bytes: used_bytes.min(limit_bytes),
            limit_bytes,
        })
    }

    /// The part that is used, 0 to 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "no machine has 2^53 bytes, and a fraction needs no last digit"
    )]
    pub(crate) fn fraction(&self) -> f64 {
        self.used_bytes as f64 / self.limit_bytes as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_is_a_part_of_the_limit() {
        let memory = |used, limit| Memory::new(used, limit).map(|memory| memory.fraction());
        assert_eq!(memory(1, 4), Some(0.25));
        assert_eq!(memory(5, 4), Some(1.0));
        assert_eq!(memory(5, 0), None);
    }
}
