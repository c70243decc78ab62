//! The last of what was written.

use bytes::Bytes;

/// The end of what a worker wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StderrTail {
    kept: Vec<u8>,
    total_bytes: u64,
}

impl StderrTail {
    /// The most bytes that are kept: 8 KiB.
    pub const KEPT_BYTES: usize = 8 * 1024;

    /// The last bytes, at most [`KEPT_BYTES`](Self::KEPT_BYTES). They need not be text, and the first
    /// line may be cut.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.kept
    }

    /// The same, owned.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.kept.into()
    }

    /// The bytes that were written before these.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.total_bytes - self.kept.len() as u64
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.total_bytes += bytes.len() as u64;
        let new = &bytes[bytes.len().saturating_sub(Self::KEPT_BYTES)..];
        let over = (self.kept.len() + new.len()).saturating_sub(Self::KEPT_BYTES);
        self.kept.drain(..over);
        self.kept.extend_from_slice(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_kept_however_they_come() {
        let all: Vec<u8> = (0..30_000_u32).map(|n| n as u8).collect();
        for piece in [1, 7, 4096, 8191, 8192, 8193, 30_000] {
            let mut tail = StderrTail::default();
            for bytes in all.chunks(piece) {
                tail.push(bytes);
            }
            let kept = StderrTail::KEPT_BYTES;
            assert_eq!(
                tail.bytes(),
                &all[all.len() - kept..],
                "in pieces of {piece}"
            );
            assert_eq!(tail.cut_bytes(), (all.len() - kept) as u64);
        }
    }

    #[test]
    fn little_is_kept_whole() {
        let mut tail = StderrTail::default();
        tail.push(b"");
        tail.push(b"one ");
        tail.push(b"two");
        assert_eq!(tail.bytes(), b"one two");
        assert_eq!(tail.cut_bytes(), 0);
    }
}
