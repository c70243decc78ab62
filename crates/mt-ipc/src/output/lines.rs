//! Whole lines out of what a worker writes piece by piece, so that lines of several workers are not cut into each
//! other.

use bytes::Bytes;
use tokio::time::{Duration, Instant};

/// How long a line without an end is held back: a prompt, or words that are the last.
const LINE_PATIENCE: Duration = Duration::from_millis(100);
/// The most bytes of a line that are held back.
const LINE_BYTES: usize = 64 * 1024;

/// A line that has no end yet.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
    until: Option<Instant>,
    /// What is put before each line.
    prefix: String,
    /// Whether the beginning of a line was passed on, and not yet the end.
    is_inside: bool,
}

impl Lines {
    /// Lines each of which gets this before it.
    pub(super) fn after(prefix: String) -> Self {
        Self {
            prefix,
            ..Self::default()
        }
    }

    /// Takes in what was written, and returns the lines that have ended with it.
    pub(super) fn push(&mut self, bytes: &[u8], now: Instant) -> Bytes {
        let ended = bytes.iter().rposition(|&byte| byte == b'\n');
        let (whole, rest) = bytes.split_at(ended.map_or(0, |at| at + 1));
        let mut lines = Vec::new();
        if !whole.is_empty() {
            lines = self.take_held();
            lines.extend_from_slice(whole);
        }
        self.held.extend_from_slice(rest);
        if self.held.len() >= LINE_BYTES {
            lines.append(&mut self.take_held());
        }
        if !self.held.is_empty() {
            self.until.get_or_insert(now + LINE_PATIENCE);
        }
        self.prefixed(lines)
    }

    /// When what is held back has waited for long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.until
    }

    /// Gives up what is held back.
    pub(super) fn take(&mut self) -> Bytes {
        let held = self.take_held();
        self.prefixed(held)
    }

    fn prefixed(&mut self, lines: Vec<u8>) -> Bytes {
        if self.prefix.is_empty() {
            return lines.into();
        }
        let mut prefixed = Vec::new();
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            if !self.is_inside {
                prefixed.extend_from_slice(self.prefix.as_bytes());
            }
            prefixed.extend_from_slice(line);
            self.is_inside = !line.ends_with(b"\n");
        }
        prefixed.into()
    }

    fn take_held(&mut self) -> Vec<u8> {
        self.until = None;
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&str], expected: &[&str], left: &str) {
        let (mut lines, now) = (Lines::default(), Instant::now());
        let passed = pieces.iter().map(|piece| lines.push(piece.as_bytes(), now));
        let passed: Vec<Bytes> = passed.collect();
        assert_eq!(passed, expected, "{pieces:?}");
        assert_eq!(lines.due().is_some(), !left.is_empty());
        assert_eq!(
            (lines.take(), lines.due()),
            (Bytes::from(left.to_owned()), None)
        );
    }

    /// Case 28: Lines of a worker are passed on whole, however they were written.
    #[test]
    fn lines_come_whole_however_they_were_written() {
        check(&["one\n", "two\n"], &["one\n", "two\n"], "");
        check(
            &["o", "ne", "\ntwo\nth", "ree"],
            &["", "", "one\ntwo\n", ""],
            "three",
        );
        check(&["", "\n", ""], &["", "\n", ""], "");
    }

    #[test]
    fn a_prefix_comes_before_each_line_and_not_inside_of_any() {
        let (mut lines, now) = (Lines::after("[1] ".into()), Instant::now());
        assert_eq!(lines.push(b"one\n\ntw", now), "[1] one\n[1] \n");
        assert_eq!(lines.take(), "[1] tw");
        assert_eq!(lines.push(b"o\nthree", now), "o\n");
        assert_eq!(lines.take(), "[1] three");
    }

    #[test]
    fn what_is_held_back_has_a_bound_and_a_time_from_its_first_byte_on() {
        let (mut lines, start) = (Lines::default(), Instant::now());
        let piece = [b'x'; 1024];
        let passed = (0..64).map(|n| lines.push(&piece, start + n * LINE_PATIENCE).len());
        let passed: Vec<usize> = passed.collect();
        assert_eq!(passed[..63], [0; 63]);
        assert_eq!((passed[63], lines.due()), (LINE_BYTES, None));
        lines.push(b"a", start);
        lines.push(b"b", start + LINE_PATIENCE / 2);
        assert_eq!(lines.due(), Some(start + LINE_PATIENCE));
        lines.push(b"\nc", start + LINE_PATIENCE);
        assert_eq!(lines.due(), Some(start + 2 * LINE_PATIENCE));
    }
}
