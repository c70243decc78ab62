//! The last a worker said before it died.

use std::fmt;

use bytes::Bytes;
use mt_ipc::StderrTail;

use crate::error::Plain;

/// What a worker said last: the end of what it and the programs it started wrote to their standard
/// error. That is where an `abort` of a C library, a sanitizer and a stack overflow leave their message.
///
/// Shown with `{}` it is text: what is no UTF-8 is replaced, and what a terminal would obey is escaped.
/// It is empty when nothing was written, and for workers whose standard error is
/// [inherited](crate::WorkerStderr::Inherit).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct LastWords {
    stderr: Bytes,
    cut_bytes: u64,
}

impl LastWords {
    /// The most bytes of standard error that are kept: 8 KiB.
    pub const STDERR_BYTES: usize = StderrTail::KEPT_BYTES;

    /// The last bytes of standard error, at most [`STDERR_BYTES`](Self::STDERR_BYTES), as they were
    /// written. The first line may be cut, and so may the last if the worker was killed inside it.
    #[must_use]
    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }

    /// The bytes that were written before those.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stderr.trim_ascii().is_empty()
    }

    /// To be put behind a sentence about the death.
    pub(crate) fn appended(&self) -> Appended<'_> {
        Appended(self)
    }
}

impl From<StderrTail> for LastWords {
    fn from(tail: StderrTail) -> Self {
        Self {
            cut_bytes: tail.cut_bytes(),
            stderr: tail.into_bytes(),
        }
    }
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(self.stderr.trim_ascii_end());
        Plain(&text).fmt(f)
    }
}

impl fmt::Debug for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastWords")
            .field("stderr", &String::from_utf8_lossy(&self.stderr))
            .field("cut_bytes", &self.cut_bytes)
            .finish()
    }
}

/// Shows last words behind a sentence, if there are any.
pub(crate) struct Appended<'a>(&'a LastWords);

impl fmt::Display for Appended<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0;
        if words.is_empty() {
            return Ok(());
        }
        f.write_str("; its last words")?;
        if words.cut_bytes > 0 {
            let kept = words.stderr.len();
            write!(f, " (after {} bytes, the last {kept})", words.cut_bytes)?;
        }
        write!(f, ":\n{words}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stderr: &'static [u8], cut_bytes: u64, expected: &str) {
        let stderr = Bytes::from_static(stderr);
        let words = LastWords { stderr, cut_bytes };
        assert_eq!(words.appended().to_string(), expected);
    }

    #[test]
    fn words_are_shown_as_text_and_none_are_not_shown() {
        check(b"", 0, "");
        check(b" \n\n", 0, "");
        check(
            b"free(): invalid pointer\n",
            0,
            "; its last words:\nfree(): invalid pointer",
        );
        check(
            b"...half\nwhole\x1b[2J\xff\n\n",
            7,
            "; its last words (after 7 bytes, the last 20):\n...half\nwhole\\u{1b}[2J\u{fffd}",
        );
    }
}
