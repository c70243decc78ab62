//! What a writer hands to the operating system: a short head and a shared body, never split by others.

use std::mem;

use bytes::{Buf, Bytes};

use crate::{
    Attachments, CHUNK_BYTES, EncodedFrames, Frame, HEADER_BYTES, Kind,
    frame::{ATTACHED, MORE},
    segment::RUN_HEADER,
};

/// A header, the number of attachments, and the header of a run.
const HEAD: usize = HEADER_BYTES + 1 + RUN_HEADER;

/// Bytes that travel together. Between two units a control frame may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    head: [u8; HEAD],
    head_len: u8,
    /// What follows the head.
    pub body: Bytes,
    /// What has to be there no later than the first byte of the head, and no earlier than all that was sent before.
    pub attachments: Attachments,
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

    fn framed(mut kind_byte: u8, attachments: Attachments, first: &[u8], body: Bytes) -> Self {
        let mut head = [0; HEAD];
        let mut used = HEADER_BYTES;
        if !attachments.is_empty() {
            kind_byte |= ATTACHED;
            head[used] = attachments.as_slice().len() as u8;
            used += 1;
        }
        let length = (first.len() + body.len()) as u32;
        head[..4].copy_from_slice(&length.to_le_bytes());
        head[4] = kind_byte;
        head[used..used + first.len()].copy_from_slice(first);
        Self {
            head,
            head_len: (used + first.len()) as u8,
            body,
            attachments,
        }
    }
}

/// Something to send, cut into [`Unit`]s on demand, without copying.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// What is left of a frame.
    current: Option<Frame>,
    encoded: EncodedFrames,
    /// The bytes of `encoded` that were taken out.
    taken: usize,
}

impl Outgoing {
    /// One frame.
    #[must_use]
    pub fn frame(frame: Frame) -> Self {
        Self {
            current: Some(frame),
            encoded: EncodedFrames::default(),
            taken: 0,
        }
    }

    /// Frames that are encoded already, by a [`SegmentWriter`](crate::SegmentWriter). A body of any length
    /// stands behind one header there; it is cut into chunks here.
    #[must_use]
    pub fn encoded(mut frames: EncodedFrames) -> Self {
        // Taken from the end.
        frames.attached.reverse();
        Self {
            current: None,
            encoded: frames,
            taken: 0,
        }
    }

    /// The bytes still to send, headers of later chunks not counted.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        let current = self.current.as_ref();
        current.map_or(0, |frame| HEADER_BYTES + frame.body_bytes()) + self.encoded.bytes.len()
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
            return Some(Unit {
                head: [0; HEAD],
                head_len: 0,
                body: self.take(whole),
                attachments: Attachments::NONE,
            });
        }
        let attachments = self.front_attachments();
        let front = self.take(HEADER_BYTES);
        debug_assert_eq!(front[4], Kind::Results as u8);
        let body = self.take(body_bytes_of(&front));
        let frame = Frame::new(Kind::Results, body).with_attachments(attachments);
        Some(self.chunk(frame))
    }

    fn take(&mut self, bytes: usize) -> Bytes {
        self.taken += bytes;
        self.encoded.bytes.split_to(bytes)
    }

    /// The attachments of the frame that is next.
    fn front_attachments(&mut self) -> Attachments {
        let next = &mut self.encoded.attached;
        let front = next.pop_if(|frame| frame.start == self.taken);
        front.map_or(Attachments::NONE, |frame| frame.attachments)
    }

    /// Takes one chunk of `current` and keeps what is left.
    fn chunk(&mut self, mut current: Frame) -> Unit {
        let kind = current.kind as u8;
        let head = current.head.take();
        let first = head.as_ref().map_or(&[][..], |head| &head[..]);
        let attachments = mem::take(&mut current.attachments);
        if current.body.len() <= CHUNK_BYTES {
            return Unit::framed(kind, attachments, first, current.body);
        }
        let chunk = current.body.split_to(CHUNK_BYTES);
        self.current = Some(current);
        Unit::framed(kind | MORE, attachments, first, chunk)
    }

    /// The bytes of the frames at the front that have no attachments, need no chunking, and fit one unit together.
    fn whole_frames(&self) -> usize {
        let bytes = &self.encoded.bytes;
        let attached = self.encoded.attached.last();
        let most = attached.map_or(CHUNK_BYTES, |frame| frame.start - self.taken);
        let most = most.min(CHUNK_BYTES);
        let mut at = 0;
        while at < bytes.len() {
            let end = at + HEADER_BYTES + body_bytes_of(&bytes[at..]);
            if end > most {
                break;
            }
            at = end;
        }
        at
    }
}

/// The bytes of the body that comes after a header.
fn body_bytes_of(mut header: &[u8]) -> usize {
    header.get_u32_le() as usize
}
