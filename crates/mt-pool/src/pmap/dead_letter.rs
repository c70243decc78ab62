//! The items that were given up.

use bytes::Bytes;
use mt_proto::{Deadline, DecodeError, EncodedValue, ItemType, guarded};

use crate::{TaskError, TaskErrorKind, Wire};

/// The letters kept; later ones are counted and dropped.
const MAX_LETTERS: usize = 1024;
/// The bytes of the payloads kept; a letter beyond has none.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The items a run has given up because they killed their workers, ran past their hard deadline or used
/// too much memory, in the order they were yielded. At most 1024, with at most 16 MiB of payloads.
#[derive(Debug, Clone, Default)]
pub struct DeadLetters {
    letters: Vec<DeadLetter>,
    bytes: usize,
    dropped: u64,
}

/// An item that was given up.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    index: u64,
    reason: String,
    payload: Option<(EncodedValue, ItemType)>,
}

impl DeadLetters {
    /// The letters.
    #[must_use]
    pub fn letters(&self) -> &[DeadLetter] {
        &self.letters
    }

    /// How many there was no room for. Their outcomes were yielded like all others.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes note of an outcome, if it is one of those.
    pub(super) fn note<E>(&mut self, error: &TaskError<E>) {
        let reason = match error.kind() {
            TaskErrorKind::Crashed { death, attempts } => {
                format!("crashed {attempts} times: {death}")
            }
            TaskErrorKind::TimedOut {
                deadline: Deadline::Hard,
                limit,
            } => format!("took longer than {limit:?}"),
            TaskErrorKind::MemoryExceeded {
                rss_bytes,
                limit_bytes,
                ..
            } => match limit_bytes {
                Some(limit) => format!("used {rss_bytes} bytes of memory, {limit} are allowed"),
                None => "used more memory than the system had left".to_owned(),
            },
            _ => return,
        };
        if self.letters.len() >= MAX_LETTERS {
            self.dropped += 1;
            return;
        }
        let fits =
            |(payload, _): &&(EncodedValue, ItemType)| payload.weight() <= MAX_BYTES - self.bytes;
        let payload = error.sent().filter(fits).cloned();
        let payload = payload.map(|(mut payload, sent)| {
            // A copy: the item is a part of the block it came in, which would be kept with it.
            payload.bytes = Bytes::copy_from_slice(&payload.bytes);
            (payload, sent)
        });
        self.bytes += payload.as_ref().map_or(0, |(payload, _)| payload.weight());
        self.letters.push(DeadLetter {
            index: error.index(),
            reason,
            payload,
        });
    }
}

impl DeadLetter {
    /// The item's position in the input, counted from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Why it was given up.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The item as it was sent; `None` if there was no room for it.
    #[must_use]
    pub fn payload(&self) -> Option<&Bytes> {
        self.payload.as_ref().map(|(payload, _)| &payload.bytes)
    }

    /// The item itself; `None` if there was no room for it.
    ///
    /// # Errors
    /// [`DecodeError`] when it is not an `I`: a number of another width is none.
    pub fn item<I: Wire>(&self) -> Option<Result<I, DecodeError>> {
        let (payload, sent) = self.payload.as_ref()?;
        let decoded = guarded(|| sent.decode(payload));
        Some(decoded.map_err(DecodeError::from).flatten())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mt_proto::ItemIndex;

    use super::*;
    use crate::task::Never;

    fn late(index: u64, payload: usize, deadline: Deadline) -> TaskError<Never> {
        let limit = Duration::from_secs(1);
        let kind = TaskErrorKind::TimedOut { deadline, limit };
        TaskError::new(ItemIndex(index), kind).with_history(
            1,
            Some((Bytes::from(vec![7; payload]).into(), ItemType::of::<u8>())),
        )
    }

    /// Case M63: At most 1024 dead letters are kept, and the others counted.
    #[test]
    fn so_many_are_kept_and_the_others_counted() {
        let mut dead = DeadLetters::default();
        for index in 0..MAX_LETTERS as u64 + 5 {
            dead.note(&late(index, 1, Deadline::Hard));
        }
        assert_eq!((dead.letters().len(), dead.dropped()), (MAX_LETTERS, 5));
        assert_eq!(dead.bytes, MAX_LETTERS);
    }

    /// Case M64: At most 16 MiB of dead letters' items are kept.
    #[test]
    fn so_many_bytes_are_kept_and_a_letter_beyond_has_none() {
        let mut dead = DeadLetters::default();
        for (index, bytes) in [MAX_BYTES - 1, 2, 1, 1].into_iter().enumerate() {
            dead.note(&late(index as u64, bytes, Deadline::Hard));
        }
        let kept = dead
            .letters()
            .iter()
            .map(|letter| letter.payload().is_some());
        assert_eq!(kept.collect::<Vec<_>>(), [true, false, true, false]);
        assert!(dead.letters()[1].item::<u8>().is_none());
    }

    #[test]
    fn what_had_only_waited_is_no_letter() {
        let mut dead = DeadLetters::default();
        dead.note(&late(0, 1, Deadline::Queue));
        dead.note(&late(0, 1, Deadline::Soft));
        assert!(dead.letters().is_empty());
    }
}
