//! The last of what was written.

use bytes::Bytes;

/// The end of what a worker wrote to its standard error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputTail {
    kept: Vec<u8>,
    total_bytes: u64,
    /// How many of them were written for others, and are not told.
    others_bytes: u64,
}

impl OutputTail {
    /// The most bytes that are kept: 8 KiB.
    pub const KEPT_BYTES: usize = 8 * 1024;

    /// The last bytes, at most [`KEPT_BYTES`](Self::KEPT_BYTES). They need not be text, and the first
    /// line may be cut.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.kept[self.kept.len() - self.told()..]
    }

    /// The same, owned.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        self.kept.drain(..self.kept.len() - self.told());
        self.kept.into()
    }

    /// The bytes that were written before these, for the same owner.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.own_bytes() - self.told() as u64
    }

    fn own_bytes(&self) -> u64 {
        self.total_bytes.saturating_sub(self.others_bytes)
    }

    fn told(&self) -> usize {
        let own = usize::try_from(self.own_bytes()).unwrap_or(usize::MAX);
        own.min(self.kept.len())
    }

    /// What was written so far is not told any more, nor the next `unread` bytes.
    pub(super) fn start_over(&mut self, unread: u64) {
        self.others_bytes = self.total_bytes + unread;
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
            let mut tail = OutputTail::default();
            for bytes in all.chunks(piece) {
                tail.push(bytes);
            }
            let kept = OutputTail::KEPT_BYTES;
            assert_eq!(
                tail.bytes(),
                &all[all.len() - kept..],
                "in pieces of {piece}"
            );
            assert_eq!(tail.cut_bytes(), (all.len() - kept) as u64);
        }
    }

    /// Case G10: What a worker said for an earlier owner is not told of its death under a later one.
    #[test]
    fn what_was_said_for_others_is_not_told() {
        let mut tail = OutputTail::default();
        tail.push(b"theirs ");
        tail.start_over(4);
        assert_eq!((tail.bytes(), tail.cut_bytes()), (&b""[..], 0));
        tail.push(b"too ours");
        assert_eq!((tail.bytes(), tail.cut_bytes()), (&b"ours"[..], 0));
        tail.push(&[b'x'; OutputTail::KEPT_BYTES]);
        assert_eq!(
            (tail.bytes().len(), tail.cut_bytes()),
            (OutputTail::KEPT_BYTES, 4)
        );
        assert_eq!(tail.clone().into_bytes(), tail.bytes());
        tail.start_over(100);
        tail.push(b"theirs");
        assert_eq!(tail.into_bytes(), "");
    }

    #[test]
    fn little_is_kept_whole() {
        let mut tail = OutputTail::default();
        tail.push(b"");
        tail.push(b"one ");
        tail.push(b"two");
        assert_eq!(tail.bytes(), b"one two");
        assert_eq!(tail.cut_bytes(), 0);
    }
}
