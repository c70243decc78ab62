//! A `tracing` event of a worker, as it crosses.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    DecodeError, ItemIndex, decode_strict,
    encode::{encode_into, take_from_bytes},
    outcome::cut_at,
};

/// The most events in one notice.
pub const MAX_TRACE_EVENTS: usize = 512;
/// The most bytes of a message or of one value. Longer ones are cut.
pub const MAX_TRACE_TEXT_BYTES: usize = 2048;
/// The most fields of an event. More are left out.
pub const MAX_TRACE_FIELDS: usize = 24;
/// The most bytes of a target, a file's name, or the name of a field. Longer ones are cut.
pub const MAX_TRACE_NAME_BYTES: usize = 256;

/// How important an event is: the five levels of `tracing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum TraceLevel {
    /// Something went wrong.
    Error = 1,
    /// Something may go wrong.
    Warn = 2,
    /// Something to know.
    Info = 3,
    /// For whoever looks for a fault.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// How important it is.
    pub level: TraceLevel,
    /// What it is about: by default the path of the module it is in.
    pub target: String,
    /// The source file it is in.
    pub file: Option<String>,
    /// The line there.
    pub line: Option<u32>,
    /// The item in whose call it was emitted, as far as that is known.
    pub item: Option<ItemIndex>,
    /// The message.
    pub message: String,
    /// The other fields: names and values as text.
    pub fields: Vec<(String, String)>,
}

impl TraceEvent {
    /// The bytes it takes, roughly, and never less than its encoding.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        // Lengths, counts and tags are at most ten bytes each.
        let texts = |a: &str, b: &str| a.len() + b.len() + 20;
        let file = self.file.as_ref().map_or(0, String::len);
        let fields: usize = self.fields.iter().map(|(n, v)| texts(n, v)).sum();
        texts(&self.target, &self.message) + file + fields + 60
    }

    /// The event, cut so that its encoding is at most `limit` bytes; to be at least 400. Of the fields,
    /// those at the front that still fit are kept.
    #[must_use]
    pub fn brief(&self, limit: usize) -> Self {
        const NAME_BYTES: usize = 96;
        let mut event = Self {
            fields: Vec::new(),
            message: String::new(),
            ..self.clone()
        };
        event.cut_names(NAME_BYTES);
        let room = limit.saturating_sub(event.len_bytes());
        event.message.clone_from(&self.message);
        cut_at(&mut event.message, room);
        for field in &self.fields {
            event.fields.push(field.clone());
            if event.len_bytes() > limit {
                event.fields.pop();
                break;
            }
        }
        event
    }

    /// Cuts every text to its limit.
    #[must_use]
    pub fn clipped(mut self) -> Self {
        self.cut_names(MAX_TRACE_NAME_BYTES);
        cut_at(&mut self.message, MAX_TRACE_TEXT_BYTES);
        self.fields.truncate(MAX_TRACE_FIELDS);
        for (name, value) in &mut self.fields {
            cut_at(name, MAX_TRACE_NAME_BYTES);
            cut_at(value, MAX_TRACE_TEXT_BYTES);
        }
        self
    }

    fn cut_names(&mut self, limit: usize) {
        cut_at(&mut self.target, limit);
        self.file.iter_mut().for_each(|file| cut_at(file, limit));
    }
}

/// Events in a message: encoded, and each decoded when it is asked for, so that a message never holds more than its
/// bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceEvents {
    count: usize,
    left: Bytes,
}

impl TraceEvents {
    /// The body of a message: the events, and how many more there were.
    pub(crate) fn into_body(self, dropped: u64) -> Vec<u8> {
        let number = |body: &mut Vec<u8>, number: u64| {
            encode_into(body, &number, usize::MAX).expect("numbers always encode");
        };
        let mut body = Vec::with_capacity(self.left.len() + 20);
        number(&mut body, self.count as u64);
        body.extend_from_slice(&self.left);
        number(&mut body, dropped);
        body
    }

    /// Walks all events, without keeping any.
    pub(crate) fn from_body(body: &Bytes) -> Result<(Self, u64), DecodeError> {
        let (count, mut rest): (usize, &[u8]) = take_from_bytes(body)?;
        let start = body.len() - rest.len();
        if count > MAX_TRACE_EVENTS {
            return Err(DecodeError::Malformed("too many events"));
        }
        for _ in 0..count {
            rest = behind_event(rest)?;
        }
        // A copy: they may wait for long, and the body is a part of all that was received with it.
        let left = Bytes::copy_from_slice(&body[start..body.len() - rest.len()]);
        Ok((Self { count, left }, decode_strict(rest)?))
    }
}

impl FromIterator<TraceEvent> for TraceEvents {
    fn from_iter<I: IntoIterator<Item = TraceEvent>>(events: I) -> Self {
        let (mut count, mut bytes) = (0, Vec::new());
        for event in events {
            encode_into(&mut bytes, &event, usize::MAX).expect("texts and numbers always encode");
            count += 1;
        }
        let left = bytes.into();
        Self { count, left }
    }
}

impl Iterator for TraceEvents {
    type Item = TraceEvent;

    fn next(&mut self) -> Option<TraceEvent> {
        self.count = self.count.checked_sub(1)?;
        // Walked when the message was read: an error is the end.
        let (event, rest) = take_from_bytes(&self.left).ok()?;
        self.left = self.left.slice_ref(rest);
        Some(event)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for TraceEvents {}

/// What comes behind the event at the front.
fn behind_event(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    type Head<'a> = (
        TraceLevel,
        &'a str,
        Option<&'a str>,
        Option<u32>,
        Option<ItemIndex>,
        &'a str,
        usize,
    );
    let (head, mut rest): (Head<'_>, _) = take_from_bytes(bytes)?;
    if head.6 > MAX_TRACE_FIELDS {
        return Err(DecodeError::Malformed("too many fields of an event"));
    }
    for _ in 0..head.6 {
        (_, rest) = take_from_bytes::<(&str, &str)>(rest)?;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_event_is_longer_than_its_limits() {
        let long = "é".repeat(MAX_TRACE_TEXT_BYTES);
        let event = TraceEvent {
            level: TraceLevel::Trace,
            target: long.clone(),
            file: Some(long.clone()),
            line: Some(u32::MAX),
            item: Some(ItemIndex(u64::MAX)),
            message: long.clone(),
            fields: vec![(long.clone(), long); 1000],
        }
        .clipped();
        assert_eq!(event.fields.len(), MAX_TRACE_FIELDS);
        let encoded = crate::encode(&event, usize::MAX).expect("encodes");
        assert!(encoded.len() <= event.len_bytes());
        let one = MAX_TRACE_NAME_BYTES + MAX_TRACE_TEXT_BYTES + 20;
        assert!(event.len_bytes() <= (MAX_TRACE_FIELDS + 1) * one + 400);
        assert!(event.len_bytes() < crate::MAX_CONTROL_BYTES);
        for limit in [400, 496, 5000] {
            let brief = event.brief(limit);
            let encoded = crate::encode(&brief, usize::MAX).expect("encodes");
            assert!(encoded.len() <= limit, "{} of {limit}", encoded.len());
            assert!(brief.message.starts_with("éé"));
        }
    }
}
