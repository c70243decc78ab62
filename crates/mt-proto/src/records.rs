//! Many values in one body: each a 4-byte header (2 bits of tag, 30 of length) and its encoding. The
//! fourth tag is an outcome that comes with a [`Tally`].
//!
//! The header has a fixed size so that a reader can walk, count and split records without decoding
//! them, and so that one value that does not decode costs only itself.

use bytes::{Buf, Bytes};
use serde::Serialize;

use crate::{
    Attachments, CrossesAs, DecodeError, EncodeError, Heading, MAX_CONTROL_BYTES, MAX_RECORD_BYTES,
    Tally,
    crosses_as::form::Form,
    encode::{all_or_nothing, write_value},
    tally::{layout, push_tally},
};

const HEADER: usize = 4;
const TAG_SHIFT: u32 = 30;
/// The tag of a record that begins with a tally.
const TALLIED: u32 = 3;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordTag {
    /// An item, or a value the function returned.
    Value = 0,
    /// An error the function returned (the seed's `raised`).
    Raised = 1,
    /// A [`Failure`](crate::Failure).
    Failure = 2,
}

impl RecordTag {
    #[inline]
    pub(crate) fn of(number: u32) -> Option<Self> {
        [Self::Value, Self::Raised, Self::Failure]
            .get(number as usize)
            .copied()
    }
}

/// One record of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it holds.
    pub tag: RecordTag,
    /// The encoded value.
    pub value: Bytes,
    /// What crosses beside it; see [`with_attachments`](Self::with_attachments).
    pub attachments: Attachments,
    tally: Bytes,
}

impl Record {
    /// The record with what crosses beside it: its segment's attachments.
    #[must_use]
    pub fn with_attachments(self, attachments: &Attachments) -> Self {
        Self {
            attachments: attachments.clone(),
            ..self
        }
    }

    /// What the call has counted and printed.
    #[must_use]
    pub fn tally(&self) -> Tally<'_> {
        Tally(&self.tally)
    }

    /// The bytes it keeps alive, attachments as they count.
    #[must_use]
    pub fn weight(&self) -> usize {
        let bytes = self.value.len() + self.tally.len();
        bytes.saturating_add(self.attachments.weight())
    }
}

/// Collects records. Encoding a value that fails leaves the buffer as it was.
#[derive(Debug, Default)]
pub struct RecordBuffer {
    bytes: Vec<u8>,
    count: u32,
}

impl RecordBuffer {
    /// An empty buffer with room for `bytes` of records.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            count: 0,
        }
    }

    /// Appends `value`, at most `limit` bytes of encoding (and never more than
    /// [`MAX_RECORD_BYTES`]).
    ///
    /// # Errors
    /// [`EncodeError`]; nothing was appended.
    #[inline]
    pub fn push<T: Serialize + 'static>(
        &mut self,
        value: &T,
        limit: usize,
    ) -> Result<(), EncodeError> {
        push_record(&mut self.bytes, RecordTag::Value, value, limit)?;
        self.count += 1;
        Ok(())
    }

    /// [`push`](Self::push) of what crosses as an `I`, that leaves large bytes of it beside the others, in `attachments`,
    /// which are none before. If there are some, the record is to be [split off](Self::split_off) and to travel alone.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing was appended.
    #[inline]
    pub fn push_attaching<I, V: CrossesAs<I>>(
        &mut self,
        value: &V,
        limit: usize,
        attachments: &mut Attachments,
    ) -> Result<(), EncodeError> {
        push_attaching::<I, V>(&mut self.bytes, value, limit, attachments)?;
        self.count += 1;
        Ok(())
    }

    /// Takes the last record out, which begins there.
    pub fn split_off(&mut self, at: usize) -> Bytes {
        self.count -= 1;
        self.bytes.split_off(at).into()
    }

    /// Appends a value that is encoded already, by this crate's [`encode`](crate::encode()) or as
    /// another record's value.
    ///
    /// # Panics
    /// When it is longer than [`MAX_RECORD_BYTES`].
    pub fn push_raw(&mut self, value: &[u8]) {
        assert!(
            value.len() <= MAX_RECORD_BYTES,
            "an encoded value has at most 2^30 - 1 bytes"
        );
        self.bytes
            .extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(value);
        self.count += 1;
    }

    /// Appends a record made by [`push_record`].
    #[inline]
    pub fn push_encoded(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.count += 1;
    }

    /// The number of records.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The bytes of all records with their headers.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The records as one body, leaving the buffer empty.
    pub fn take(&mut self) -> Bytes {
        self.count = 0;
        // The next body is likely to be about as long as this one.
        let next = Vec::with_capacity(self.bytes.len());
        Bytes::from(std::mem::replace(&mut self.bytes, next))
    }
}

/// Appends one record to `bytes`: header and encoding, at most `limit` bytes of the latter.
///
/// # Errors
/// [`EncodeError`]; `bytes` is as it was, also when the value's `Serialize` panics.
#[inline]
pub fn push_record<T: Serialize + 'static>(
    bytes: &mut Vec<u8>,
    tag: RecordTag,
    value: &T,
    limit: usize,
) -> Result<(), EncodeError> {
    push_outcome(bytes, Heading::of(tag), value, limit, None)
}

/// [`push_record`] of what crosses as an item of type `I`, whose large bytes are left beside the others, in `attachments`, which are none before. They
/// count too where the limit is less than [`MAX_RECORD_BYTES`].
///
/// # Errors
/// As [`push_record`]; what is in `attachments` then is of no use.
#[inline]
pub fn push_attaching<I, V: CrossesAs<I>>(
    bytes: &mut Vec<u8>,
    value: &V,
    limit: usize,
    attachments: &mut Attachments,
) -> Result<(), EncodeError> {
    let heading = Heading::of(RecordTag::Value);
    push_form::<I, V>(bytes, heading, value, limit, Some(attachments))
}

/// [`push_record`] of an outcome with what its call has counted.
///
/// # Errors
/// As [`push_record`]; `bytes` is as it was.
#[inline]
pub(crate) fn push_outcome<T: Serialize + 'static>(
    bytes: &mut Vec<u8>,
    heading: Heading<'_>,
    value: &T,
    limit: usize,
    attachments: Option<&mut Attachments>,
) -> Result<(), EncodeError> {
    push_form::<T, T>(bytes, heading, value, limit, attachments)
}

#[inline]
fn push_form<I, V: Form<I>>(
    bytes: &mut Vec<u8>,
    heading: Heading<'_>,
    value: &V,
    limit: usize,
    attachments: Option<&mut Attachments>,
) -> Result<(), EncodeError> {
    let body = bytes.len() + HEADER;
    all_or_nothing(bytes, |bytes| {
        bytes.extend_from_slice(&[0; HEADER]);
        let mut written = heading.tag as u32;
        if let Some(tally) = heading.tally {
            push_tally(bytes, heading.tag, tally);
            written = TALLIED;
        }
        let most = match heading.tag {
            RecordTag::Value | RecordTag::Raised => MAX_RECORD_BYTES + body - bytes.len(),
            RecordTag::Failure => MAX_CONTROL_BYTES,
        };
        let limit = limit.min(most);
        match heading.tag {
            RecordTag::Value | RecordTag::Raised => value.write(bytes, limit, attachments)?,
            RecordTag::Failure => write_value(bytes, value, limit)?,
        }
        let header = (bytes.len() - body) as u32 | (written << TAG_SHIFT);
        bytes[body - HEADER..body].copy_from_slice(&header.to_le_bytes());
        Ok(())
    })
}

/// Walks the records of a body, front to back, without copying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    body: Bytes,
}

impl Records {
    /// The records of `body`, which is checked record by record as it is walked.
    #[must_use]
    pub fn new(body: Bytes) -> Self {
        Self { body }
    }

    /// The next record with its value borrowed, or `None` at the end. Does not touch a reference
    /// count: the hot path decodes straight from here.
    ///
    /// # Errors
    /// [`DecodeError`] when the header has no meaning or the value is cut; the walk can't go on.
    #[inline]
    pub fn next_with<R>(
        &mut self,
        read: impl FnOnce(RecordTag, &[u8]) -> R,
    ) -> Result<Option<R>, DecodeError> {
        self.next_tallied(|tag, _, value| read(tag, value))
    }

    /// [`next_with`](Self::next_with), with what the call has counted and printed.
    ///
    /// # Errors
    /// As [`next_with`](Self::next_with).
    #[inline]
    pub fn next_tallied<R>(
        &mut self,
        read: impl FnOnce(RecordTag, Tally<'_>, &[u8]) -> R,
    ) -> Result<Option<R>, DecodeError> {
        let Some(found) = peek(&self.body)? else {
            return Ok(None);
        };
        let tally = Tally(&self.body[HEADER..found.value]);
        let result = read(found.tag, tally, &self.body[found.value..found.end]);
        self.body.advance(found.end);
        Ok(Some(result))
    }

    /// The bytes of the next record's value, and whether a tally comes with it; `None` at the end.
    ///
    /// # Errors
    /// As [`next_with`](Self::next_with).
    #[inline]
    pub fn next_shape(&self) -> Result<Option<(usize, bool)>, DecodeError> {
        let shape = |found: Found| (found.end - found.value, found.value > HEADER);
        Ok(peek(&self.body)?.map(shape))
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// As [`next_with`](Self::next_with).
    pub fn next_record(&mut self) -> Result<Option<Record>, DecodeError> {
        let Some(found) = peek(&self.body)? else {
            return Ok(None);
        };
        let tally = self.body.slice(HEADER..found.value);
        self.body.advance(found.value);
        Ok(Some(Record {
            tag: found.tag,
            value: self.body.split_to(found.end - found.value),
            attachments: Attachments::NONE,
            tally,
        }))
    }

    /// Splits the first `count` records off, headers included.
    ///
    /// # Errors
    /// [`DecodeError`] when there are fewer, or a header is bad; nothing was split then.
    pub fn split_front(&mut self, count: u32) -> Result<Bytes, DecodeError> {
        let end = self.end_of(count)?;
        Ok(self.body.split_to(end))
    }

    /// Whether all records have been taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// What has not been taken yet.
    #[must_use]
    pub fn into_rest(self) -> Bytes {
        self.body
    }

    /// Checks that exactly `count` well-formed records remain. What they hold is not decoded.
    ///
    /// # Errors
    /// [`DecodeError`] saying what is off.
    pub fn check(&self, count: u32) -> Result<(), DecodeError> {
        match self.body.len() - self.end_of(count)? {
            0 => Ok(()),
            left => Err(DecodeError::Trailing(left)),
        }
    }

    /// Where the first `count` records end.
    fn end_of(&self, count: u32) -> Result<usize, DecodeError> {
        let mut end = 0;
        for _ in 0..count {
            let found = peek(&self.body[end..])?;
            end += found
                .ok_or(DecodeError::Short("fewer records than counted"))?
                .end;
        }
        Ok(end)
    }
}

/// The record at the front of some bytes: where its parts are. Its tally, if there is one, ends where its value begins.
#[derive(Debug, Clone, Copy)]
struct Found {
    tag: RecordTag,
    value: usize,
    end: usize,
}

/// Finds the record at the front of `bytes`, all of which is known to be there.
#[inline]
fn peek(bytes: &[u8]) -> Result<Option<Found>, DecodeError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let Some(header) = bytes.first_chunk::<HEADER>() else {
        return Err(DecodeError::Short("record header is cut"));
    };
    let header = u32::from_le_bytes(*header);
    let end = HEADER + (header & (MAX_RECORD_BYTES as u32)) as usize;
    if bytes.len() < end {
        return Err(DecodeError::Short("record value is cut"));
    }
    let (tag, value) = match RecordTag::of(header >> TAG_SHIFT) {
        Some(tag) => (tag, HEADER),
        None => {
            let found = layout(&bytes[HEADER..end])?;
            (found.tag, HEADER + found.value)
        }
    };
    if matches!(tag, RecordTag::Failure) && end - value > MAX_CONTROL_BYTES {
        // Its texts are clipped; whoever decodes it pays for the length again.
        return Err(DecodeError::Malformed("failure is too long"));
    }
    Ok(Some(Found { tag, value, end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Bytes {
        let mut buffer = RecordBuffer::default();
        for value in [1u64, 300, 70_000] {
            buffer.push(&value, 100).expect("encodes");
        }
        assert_eq!(buffer.count(), 3);
        let body = buffer.take();
        assert!(buffer.is_empty());
        body
    }

    #[test]
    fn golden_bytes() {
        assert_eq!(
            three().as_ref(),
            [
                1, 0, 0, 0, 1, 2, 0, 0, 0, 0xac, 2, 3, 0, 0, 0, 0xf0, 0xa2, 4
            ]
        );
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut records = Records::new(three());
        assert_eq!(records.check(3), Ok(()));
        for value in [1, 300, 70_000] {
            let next = records.next_with(|_, value| crate::decode_strict::<u64>(value));
            assert_eq!(next, Ok(Some(Ok(value))));
        }
        assert_eq!(records.next_with(|_, _| ()), Ok(None));
    }

    #[test]
    fn a_split_falls_on_a_record() {
        let mut records = Records::new(three());
        let front = records.split_front(2).expect("two are there");
        assert_eq!(Records::new(front).check(2), Ok(()));
        assert_eq!(records.check(1), Ok(()));
        assert!(records.split_front(2).is_err());
        assert_eq!(records.check(1), Ok(()), "a failed split takes nothing");
    }

    #[test]
    fn a_wrong_count_or_a_cut_is_an_error() {
        let body = three();
        for count in [2, 4] {
            assert!(Records::new(body.clone()).check(count).is_err());
        }
        for end in 1..body.len() {
            let cut = Records::new(body.slice(..end));
            assert!(cut.check(3).is_err(), "cut at {end}");
        }
        let no_tag = Records::new(Bytes::from_static(&[0, 0, 0, 0xc0]));
        assert!(no_tag.check(1).is_err(), "a tally without a tag");
    }
}
