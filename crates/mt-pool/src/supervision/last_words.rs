//! The last a worker said before it died.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use mt_ipc::{OutputTail, Progress};
use mt_proto::{TraceEvent, decode_strict};
use serde::{Deserialize, Serialize};

use super::{plain::Plain, worker_event::WorkerEvent};

/// What a worker said last: the end of what it and the programs it started wrote to their standard
/// error, and its last `tracing` events. Standard error is where an `abort` of a C library, a sanitizer
/// and a stack overflow leave their message.
///
/// Shown with `{}` it is text: what is no UTF-8 is replaced, and what a terminal would obey is escaped.
/// Of standard error nothing is known when it is [inherited](crate::WorkerStderr::Inherit), and of events
/// when none are [forwarded](crate::limits::WorkerOptions::forward_tracing). Of a worker of a [`Pool`](crate::Pool), what
/// was said before the run that it died in is left out. Sent to another process it is the text, as if that had been written
/// to standard error.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct LastWords {
    /// Many errors may share the words of one worker.
    words: Arc<Words>,
}

#[derive(PartialEq, Eq, Default)]
struct Words {
    stderr: Bytes,
    cut_bytes: u64,
    events: Vec<WorkerEvent>,
}

impl LastWords {
    /// The most bytes of standard error that are kept: 8 KiB.
    pub const STDERR_BYTES: usize = OutputTail::KEPT_BYTES;

    /// The most events that are kept: 16.
    pub const EVENTS: usize = Progress::NOTES;

    pub(crate) fn new(tail: OutputTail, progress: &Progress) -> Self {
        let notes = progress.notes();
        // What a worker that has gone mad has left there is no event.
        // guarded: a value of ours.
        let event = |note: &Vec<u8>| decode_strict::<TraceEvent>(note).ok();
        Words {
            cut_bytes: tail.cut_bytes(),
            stderr: tail.into_bytes(),
            events: notes.iter().filter_map(event).map(Into::into).collect(),
        }
        .into()
    }

    /// The last bytes of standard error, at most [`STDERR_BYTES`](Self::STDERR_BYTES), as they were
    /// written. The first line may be cut, and so may the last if the worker was killed inside it.
    #[must_use]
    pub fn stderr(&self) -> &[u8] {
        &self.words.stderr
    }

    /// The bytes that were written before those.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.words.cut_bytes
    }

    /// The last `tracing` events, oldest first, at most [`EVENTS`](Self::EVENTS): also those that were
    /// not sent yet when the worker died. Each is cut to about 500 bytes. An event that was just being
    /// emitted is missing.
    #[must_use]
    pub fn events(&self) -> &[WorkerEvent] {
        &self.words.events
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_stderr() && self.words.events.is_empty()
    }

    fn has_stderr(&self) -> bool {
        !self.words.stderr.trim_ascii().is_empty()
    }

    /// The end of the text, of at most so many bytes.
    #[must_use]
    pub fn end(&self, most_bytes: usize) -> String {
        let text = self.to_string();
        let text = text.trim_ascii();
        match text.len().checked_sub(most_bytes) {
            None | Some(0) => text.to_owned(),
            Some(over) => format!("…{}", &text[text.ceil_char_boundary(over + "…".len())..]),
        }
    }

    /// Shown behind a sentence about the death, if there are any.
    pub(crate) fn appended(&self) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            if self.is_empty() {
                return Ok(());
            }
            f.write_str("; its last words")?;
            if self.cut_bytes() > 0 {
                let (cut, kept) = (self.cut_bytes(), self.stderr().len());
                write!(f, " (after {cut} bytes, the last {kept})")?;
            }
            write!(f, ":\n{self}")
        })
    }
}

impl From<String> for LastWords {
    fn from(text: String) -> Self {
        Words {
            stderr: text.into(),
            ..Words::default()
        }
        .into()
    }
}

impl From<LastWords> for String {
    fn from(words: LastWords) -> Self {
        words.to_string()
    }
}

impl From<Words> for LastWords {
    fn from(words: Words) -> Self {
        Self {
            words: Arc::new(words),
        }
    }
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(self.words.stderr.trim_ascii_end());
        Plain(&text).fmt(f)?;
        for (index, event) in self.words.events.iter().enumerate() {
            if index > 0 || self.has_stderr() {
                f.write_str("\n")?;
            }
            event.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastWords")
            .field("stderr", &String::from_utf8_lossy(&self.words.stderr))
            .field("cut_bytes", &self.words.cut_bytes)
            .field("events", &self.words.events)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stderr: &'static [u8], cut_bytes: u64, expected: &str) {
        let words = LastWords::from(Words {
            stderr: Bytes::from_static(stderr),
            cut_bytes,
            events: Vec::new(),
        });
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
