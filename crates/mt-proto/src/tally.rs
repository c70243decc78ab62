//! What a call has counted and printed, on its way beside the call's outcome.
//!
//! A record with tag 3 is an outcome and a tally: the outcome's own tag (1 byte; 4 more with output), how many counts
//! (varint), the counts, with output how many bytes were cut, how many are kept and those, and then the value as in any
//! other record. So a tally shares the fate of its outcome, whatever that is: it arrives with it, is tried again with it,
//! is lost with it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    CapturedStdout, DecodeError, RecordTag,
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

/// What stands before the value of an outcome: its tag, and what its call has counted and printed. Small enough to be
/// handed on in registers.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'a> {
    /// What the value is.
    pub tag: RecordTag,
    /// What the call has counted and printed; mostly neither.
    pub tally: Option<&'a TallyParts<'a>>,
}

/// What a call has counted and printed, on its way into a record.
#[derive(Debug, Clone, Copy, Default)]
pub struct TallyParts<'a> {
    /// What the call has counted.
    pub counts: &'a [Count],
    /// What the call has printed, if that is captured and there is any.
    pub stdout: Option<&'a CapturedStdout>,
}

impl TallyParts<'_> {
    /// The parts, if there is any.
    #[must_use]
    #[inline]
    pub fn if_any(&self) -> Option<&Self> {
        (!self.counts.is_empty() || self.stdout.is_some()).then_some(self)
    }
}

impl Heading<'_> {
    /// The heading of an outcome whose call has counted and printed nothing.
    #[must_use]
    #[inline]
    pub const fn of(tag: RecordTag) -> Self {
        Self { tag, tally: None }
    }
}

/// Set in the tag of a tallied record that has output.
const HAS_STDOUT: u8 = 4;

/// What one call has counted and printed, read from its record as it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally<'a>(pub(crate) &'a [u8]);

impl<'a> Tally<'a> {
    /// Whether there is neither.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// What the call has counted.
    pub fn counts(self) -> impl Iterator<Item = Count> + use<'a> {
        // Checked when the record was found: an error is the end.
        let counts = self.0.get(1..).and_then(|body| take_from_bytes(body).ok());
        let (mut left, mut rest): (u64, &[u8]) = counts.unwrap_or_default();
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let (count, after) = take_from_bytes(rest).ok()?;
            rest = after;
            Some(count)
        })
    }

    /// What the call has printed.
    #[must_use]
    pub fn stdout(self) -> CapturedStdout {
        // As above.
        let found = layout(self.0).ok().and_then(|found| found.stdout);
        found.map_or_else(CapturedStdout::default, |(cut_bytes, kept)| {
            CapturedStdout::new(Bytes::copy_from_slice(kept), cut_bytes)
        })
    }
}

/// Appends what comes before the value of a tallied record.
#[cold]
pub(crate) fn push_tally(bytes: &mut Vec<u8>, tag: RecordTag, tally: &TallyParts<'_>) {
    let has_stdout = tally.stdout.map_or(0, |_| HAS_STDOUT);
    bytes.push(tag as u8 | has_stdout);
    encode_into(bytes, tally.counts, usize::MAX).expect("numbers always encode");
    tally.stdout.inspect(|stdout| stdout.push(bytes));
}

/// What is in the body of a tallied record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TallyLayout<'a> {
    /// The outcome's own tag.
    pub(crate) tag: RecordTag,
    /// How many bytes of the output were cut, and those that are kept.
    stdout: Option<(u64, &'a [u8])>,
    /// Where the value begins.
    pub(crate) value: usize,
}

/// Finds what is in the body of a tallied record.
#[cold]
pub(crate) fn layout(body: &[u8]) -> Result<TallyLayout<'_>, DecodeError> {
    let (&tag, rest) = body
        .split_first()
        .ok_or(DecodeError::Short("tally is cut"))?;
    let has_stdout = tag & HAS_STDOUT != 0;
    let tag = RecordTag::of(u32::from(tag & !HAS_STDOUT))
        .ok_or(DecodeError::Malformed("tallied record of no known tag"))?;
    let (count, mut rest): (u64, &[u8]) = take_from_bytes(rest)?;
    for _ in 0..count {
        (_, rest) = take_from_bytes::<Count>(rest)?;
    }
    let mut stdout = None;
    if has_stdout {
        let (cut_bytes, kept, after) = CapturedStdout::take_from(rest)?;
        stdout = Some((cut_bytes, kept));
        rest = after;
    }
    Ok(TallyLayout {
        tag,
        stdout,
        value: body.len() - rest.len(),
    })
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
        let printed = CapturedStdout::new(Bytes::from_static(b"\x01\x02"), 300);
        for (counts, stdout) in [
            (&counts[..], None),
            (&counts[..], Some(&printed)),
            (&[], Some(&printed)),
        ] {
            check(counts, stdout);
        }
    }

    fn check(counts: &[Count], stdout: Option<&CapturedStdout>) {
        let tags = [RecordTag::Value, RecordTag::Raised, RecordTag::Failure];
        let mut bytes = Vec::new();
        for tag in tags {
            push_outcome(
                &mut bytes,
                Heading {
                    tag,
                    tally: TallyParts { counts, stdout }.if_any(),
                },
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
            assert_eq!(record.tally().counts().collect::<Vec<_>>(), counts);
            assert_eq!(record.tally().stdout(), stdout.cloned().unwrap_or_default());
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
            tally: Some(&TallyParts {
                counts,
                stdout: None,
            }),
        };
        let mut bytes = vec![9];
        let text = "x".repeat(100); // 1 length byte and 100 of text
        let mut push = |limit| push_outcome(&mut bytes, heading, &text, limit, None);
        assert_eq!(push(100), Err(EncodeError::TooLarge { limit: 100 }));
        assert_eq!(push(101), Ok(()));
        assert_eq!(bytes.len(), 1 + 4 + 5 + 101);
    }
}
