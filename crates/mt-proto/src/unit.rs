//! What a writer hands to the operating system: a short head and a shared body, never split by others.
//!
//! Pure: no IO, no clock, no runtime.

use bytes::{Buf, Bytes};

use crate::{CHUNK_BYTES, Frame, HEADER_BYTES, Kind, frame::MORE, segment::RUN_HEADER};

const HEAD: usize = HEADER_BYTES + RUN_HEADER;

/// Bytes that travel together. Between two units a control frame may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    head: [u8; HEAD],
    head_len: u8,
    /// What follows the head.
    pub body: Bytes,
}

impl Unit {
    /// What comes first.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head[..usize::from(self.head_len)]
    }

    /// All bytes of the unit.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        usize::from(self.head_len) + self.body.len()
    }

    fn bare(body: Bytes) -> Self {
        Self {
            head: [0; HEAD],
            head_len: 0,
            body,
        }
    }

    fn framed(kind_byte: u8, first: &[u8], body: Bytes) -> Self {
        let mut head = [0; HEAD];
        let length = (first.len() + body.len()) as u32;
        head[..4].copy_from_slice(&length.to_le_bytes());
        head[4] = kind_byte;
        head[HEADER_BYTES..HEADER_BYTES + first.len()].copy_from_slice(first);
        Self {
            head,
            head_len: (HEADER_BYTES + first.len()) as u8,
            body,
        }
    }
}

/// Something to send, cut into [`Unit`]s on demand, without copying.
#[derive(Debug, Clone)]
pub struct Outgoing {
    current: Option<Current>,
    encoded: Bytes,
}

#[derive(Debug, Clone)]
struct Current {
    kind: Kind,
    head: Option<[u8; RUN_HEADER]>,
    body: Bytes,
}

impl Outgoing {
    /// One frame.
    #[must_use]
    pub fn frame(frame: Frame) -> Self {
        let (kind, head, body) = frame.into_parts();
        Self {
            current: Some(Current { kind, head, body }),
            encoded: Bytes::new(),
        }
    }

    /// Frames that are encoded already, by a [`SegmentWriter`](crate::SegmentWriter). A body of any length
    /// stands behind one header there; it is cut into chunks here.
    #[must_use]
    pub fn encoded(frames: Bytes) -> Self {
        Self {
            current: None,
            encoded: frames,
        }
    }

    /// The bytes still to send, headers of later chunks not counted.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        let current = self.current.as_ref().map_or(0, |c| {
            HEADER_BYTES + c.head.map_or(0, |head| head.len()) + c.body.len()
        });
        current + self.encoded.len()
    }

    /// The next unit; `None` when all is sent.
    pub fn next_unit(&mut self) -> Option<Unit> {
        if let Some(current) = self.current.take() {
            return Some(self.chunk(current));
        }
        if self.encoded.is_empty() {
            return None;
        }
        let whole = self.whole_frames();
        if whole > 0 {
            return Some(Unit::bare(self.encoded.split_to(whole)));
        }
        let (kind, length) = self.front();
        self.encoded.advance(HEADER_BYTES);
        let body = self.encoded.split_to(length);
        Some(self.chunk(Current {
            kind,
            head: None,
            body,
        }))
    }

    /// Takes one chunk of `current` and keeps what is left.
    fn chunk(&mut self, mut current: Current) -> Unit {
        let kind = current.kind as u8;
        let head = current.head.take();
        let first = head.as_ref().map_or(&[][..], |head| &head[..]);
        if current.body.len() <= CHUNK_BYTES {
            return Unit::framed(kind, first, current.body);
        }
        let chunk = current.body.split_to(CHUNK_BYTES);
        self.current = Some(current);
        Unit::framed(kind | MORE, first, chunk)
    }

    /// The bytes of the frames at the front that need no chunking and fit one unit together.
    fn whole_frames(&self) -> usize {
        let mut at = 0;
        while let Some(header) = self.encoded[at..].first_chunk::<HEADER_BYTES>() {
            let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
            let end = at + HEADER_BYTES + length;
            if end > CHUNK_BYTES {
                break;
            }
            at = end;
        }
        at
    }

    fn front(&self) -> (Kind, usize) {
        let header = self.encoded.first_chunk::<HEADER_BYTES>();
        let &[a, b, c, d, kind] = header.expect("encoded frames have whole headers");
        debug_assert_eq!(
            kind,
            Kind::Results as u8,
            "only a run writer makes encoded frames"
        );
        (Kind::Results, u32::from_le_bytes([a, b, c, d]) as usize)
    }
}
