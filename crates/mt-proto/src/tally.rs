//! What a call has counted, on its way beside the call's outcome.
//!
//! A record with tag 3 is an outcome and a tally: the outcome's own tag (1 byte), how many counts
//! (varint), the counts, and then the value as in any other record. So a tally shares the fate of its
//! outcome, whatever that is: it arrives with it, is tried again with it, is lost with it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{
    DecodeError, RecordTag,
    encode::{encode_into, take_from_bytes},
};

/// A counter's name, the same in every process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CounterId {
    /// A number that only the process that made the counter has.
    pub process: u64,
    /// Which of its counters.
    pub number: u64,
}

/// What was added to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The counter.
    pub counter: CounterId,
    /// How much.
    pub by: i64,
}

/// What stands before the value of an outcome: its tag, and what its call has counted.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'a> {
    /// What the value is.
    pub tag: RecordTag,
    /// What the call has counted; mostly nothing.
    pub counts: &'a [Count],
}

/// The counts of one call, read from its record as they are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally<'a>(pub(crate) &'a [u8]);

impl Iterator for Tally<'_> {
    type Item = Count;

    fn next(&mut self) -> Option<Count> {
        // Checked when the record was found: an error is the end.
        let (count, rest) = take_from_bytes(self.0).ok()?;
        self.0 = rest;
        Some(count)
    }
}

impl Tally<'_> {
    /// Whether nothing was counted.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// Appends what comes before the value of a tallied record.
pub(crate) fn push_tally(bytes: &mut Vec<u8>, heading: Heading<'_>) {
    bytes.push(heading.tag as u8);
    encode_into(bytes, heading.counts, usize::MAX).expect("numbers always encode");
}

/// The outcome's tag in the body of a tallied record, and where its counts are. The value comes after them.
#[cold]
pub(crate) fn layout(body: &[u8]) -> Result<(RecordTag, Range<usize>), DecodeError> {
    let (&tag, rest) = body
        .split_first()
        .ok_or(DecodeError::Short("tally is cut"))?;
    let tag = RecordTag::of(u32::from(tag))
        .ok_or(DecodeError::Malformed("tallied record of no known tag"))?;
    let (count, mut rest): (u64, &[u8]) = take_from_bytes(rest)?;
    let start = body.len() - rest.len();
    for _ in 0..count {
        (_, rest) = take_from_bytes::<Count>(rest)?;
    }
    Ok((tag, start..body.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{EncodeError, Records, push_record, records::push_outcome};

    #[test]
    fn a_tally_comes_with_its_outcome_and_changes_nothing_else() {
        let counter = |number| CounterId {
            process: u64::MAX,
            number,
        };
        let counts = &[(0, 1), (1, -300), (300, i64::MIN)].map(|(number, by)| Count {
            counter: counter(number),
            by,
        });
        let tags = [RecordTag::Value, RecordTag::Raised, RecordTag::Failure];
        let mut bytes = Vec::new();
        for tag in tags {
            push_outcome(
                &mut bytes,
                Heading { tag, counts },
                &"é".to_owned(),
                100,
                None,
            )
            .expect("encodes");
            push_record(&mut bytes, tag, &7u8, 100).expect("encodes");
        }
        let body = Bytes::from(bytes);
        assert_eq!(Records::new(body.clone()).check(6), Ok(()));
        let (mut plain, mut records) = (Records::new(body.clone()), Records::new(body));
        for tag in tags {
            let found = plain.next_with(|tag, value| (tag, value.to_vec()));
            assert_eq!(found, Ok(Some((tag, vec![2, 0xc3, 0xa9]))));
            assert_eq!(records.next_shape(), Ok(Some((3, true))));
            let record = records.next_record().expect("ok").expect("there");
            assert_eq!((record.tag, &record.value[..]), (tag, &[2, 0xc3, 0xa9][..]));
            assert_eq!(record.tally().collect::<Vec<_>>(), counts);
            let found = plain.next_tallied(|tag, tally, _| (tag, tally.is_empty()));
            assert_eq!(found, Ok(Some((tag, true))));
            assert_eq!(records.next_shape(), Ok(Some((1, false))));
            let record = records.next_record().expect("ok").expect("there");
            assert_eq!((record.tag, &record.value[..]), (tag, &[7][..]));
            assert!(record.tally().is_empty());
        }
        assert!(plain.is_empty() && records.is_empty());
    }

    #[test]
    fn a_tallied_value_has_the_same_limit() {
        let counts = &[Count {
            counter: CounterId {
                process: 1,
                number: 2,
            },
            by: 3,
        }];
        let heading = Heading {
            tag: RecordTag::Value,
            counts,
        };
        let mut bytes = vec![9];
        let text = "x".repeat(100); // 1 length byte and 100 of text
        let mut push = |limit| push_outcome(&mut bytes, heading, &text, limit, None);
        assert_eq!(push(100), Err(EncodeError::TooLarge { limit: 100 }));
        assert_eq!(push(101), Ok(()));
        assert_eq!(bytes.len(), 1 + 4 + 5 + 101);
    }
}
