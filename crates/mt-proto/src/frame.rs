//! Frames: the unit of the wire, and the decoder that finds them in received bytes.
//!
//! On the wire a frame is the length of its body (4 bytes, little-endian), its kind (1 byte), and the
//! body. A body over [`CHUNK_BYTES`] travels as several frames of the same kind; all but the last
//! carry the top bit of the kind byte. Control frames may come between chunks, other bulk may not.
//!
//! A frame with attachments carries the next bit, and their number (1 byte) behind the kind; only its first chunk does.
//! The attachments themselves come beside the bytes, in one batch, no later than the first byte of the frame.

mod batches;

use bytes::{Buf, Bytes, BytesMut};

use self::batches::Batches;
use crate::{
    Attachment, Attachments, CHUNK_BYTES, DecodeError, Limits, MAX_CONTROL_BYTES, Outgoing,
    segment::RUN_HEADER,
};

/// The bytes of a frame's header.
pub const HEADER_BYTES: usize = 5;

/// Marks a frame whose body goes on in the next frame of its kind.
pub(crate) const MORE: u8 = 0x80;

/// Marks a frame that has attachments, whose number follows.
pub(crate) const ATTACHED: u8 = 0x40;

/// A body of which not all has come, and that is no longer than this, waits in the receive block, and shares its memory.
const LONG_BODY: usize = CHUNK_BYTES / 4;

/// The most body bytes of one frame as it stands on the wire.
const MAX_WIRE_BODY: usize = CHUNK_BYTES + RUN_HEADER;

/// What a frame is. Kinds under `0x20` are control: never chunked, sent before waiting bulk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The worker's first word.
    Hello = 0x01,
    /// The parent's answer to a hello it accepts.
    Welcome = 0x02,
    /// The parent's answer to a hello it does not accept.
    Refused = 0x03,
    /// A heartbeat, either way.
    Beat = 0x04,
    /// What the worker is to be.
    Assign = 0x21,
    /// The worker is set up.
    Ready = 0x22,
    /// The worker could not be set up and is about to exit.
    SetupFailed = 0x23,
    /// Items to work on.
    Items = 0x24,
    /// Outcomes of items.
    Results = 0x25,
    /// Something to tell the user that belongs to no item.
    Notice = 0x26,
    /// The worker's last word.
    Bye = 0x27,
    /// `tracing` events of the worker.
    Trace = 0x28,
    /// How long the items that come next may wait.
    Patience = 0x2c,
    /// What the exit hook returned.
    Exit = 0x2d,
    /// Finish what you have and wait for another assignment.
    Rest = 0x2e,
    /// All is done and sent; the worker waits for another assignment.
    Rested = 0x2f,
    /// Messages of a role, either way.
    Role = 0x30,
    /// An item that nobody waits for any more.
    Withdraw = 0x31,
    /// A task with what its calls share.
    Prepare = 0x32,
    /// A prepared task that no further call names.
    Forget = 0x33,
}

impl Kind {
    /// Whether frames of this kind overtake bulk.
    #[must_use]
    pub const fn is_control(self) -> bool {
        (self as u8) < 0x20
    }

    /// Whether only the worker's role knows what is in frames of this kind.
    #[must_use]
    pub const fn is_of_role(self) -> bool {
        matches!(
            self,
            Self::Items
                | Self::Results
                | Self::Notice
                | Self::Patience
                | Self::Withdraw
                | Self::Prepare
                | Self::Forget
                | Self::Exit
                | Self::Role
        )
    }

    /// Whether a body of this kind is short by nature: control, and texts for people. These are never
    /// chunked, so that nobody can make the other side keep and decode a text of a gigabyte.
    const fn is_short(self) -> bool {
        match self {
            Self::Assign | Self::Items | Self::Results | Self::Exit | Self::Role => false,
            Self::Prepare => false,
            Self::Hello | Self::Welcome | Self::Refused | Self::Beat => true,
            Self::Ready | Self::SetupFailed | Self::Notice | Self::Trace | Self::Bye => true,
            Self::Patience | Self::Withdraw | Self::Rest | Self::Rested => true,
            Self::Forget => true,
        }
    }

    fn parse(byte: u8) -> Result<Self, DecodeError> {
        Ok(match byte {
            0x01 => Self::Hello,
            0x02 => Self::Welcome,
            0x03 => Self::Refused,
            0x04 => Self::Beat,
            0x21 => Self::Assign,
            0x22 => Self::Ready,
            0x23 => Self::SetupFailed,
            0x24 => Self::Items,
            0x25 => Self::Results,
            0x26 => Self::Notice,
            0x27 => Self::Bye,
            0x28 => Self::Trace,
            0x2c => Self::Patience,
            0x2d => Self::Exit,
            0x2e => Self::Rest,
            0x2f => Self::Rested,
            0x30 => Self::Role,
            0x31 => Self::Withdraw,
            0x32 => Self::Prepare,
            0x33 => Self::Forget,
            other => return Err(DecodeError::UnknownKind(other)),
        })
    }
}

/// One message in bytes: a kind and a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// What crosses beside the body. Only frames that may be chunked have any.
    pub attachments: Attachments,
    /// The bytes of the body that come before those that are shared.
    pub(crate) head: Option<[u8; RUN_HEADER]>,
    pub(crate) body: Bytes,
}

impl Frame {
    /// A frame of this kind with this body.
    #[must_use]
    pub fn new(kind: Kind, body: impl Into<Bytes>) -> Self {
        Self {
            kind,
            attachments: Attachments::NONE,
            head: None,
            body: body.into(),
        }
    }

    /// The same frame with what crosses beside its body.
    #[must_use]
    pub fn with_attachments(self, attachments: Attachments) -> Self {
        Self {
            attachments,
            ..self
        }
    }

    /// The whole body in one piece.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        match self.head {
            None => self.body,
            Some(head) => [&head[..], &self.body].concat().into(),
        }
    }

    /// The whole body of a frame whose kind of message has no attachments.
    pub(crate) fn into_plain_body(self) -> Result<Bytes, DecodeError> {
        match self.attachments.is_empty() {
            true => Ok(self.into_body()),
            false => Err(DecodeError::Attachments(
                "a message that takes none has some",
            )),
        }
    }

    /// The bytes of the body.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.head.map_or(0, |head| head.len()) + self.body.len()
    }

    /// Appends the frame to `wire` as it travels, chunked if it is long, without its attachments.
    pub fn write_to(self, wire: &mut BytesMut) {
        let mut outgoing = Outgoing::frame(self);
        while let Some(unit) = outgoing.next_unit() {
            wire.extend_from_slice(unit.head());
            wire.extend_from_slice(&unit.body);
        }
    }
}

/// Finds frames in received bytes and joins chunks.
///
/// After an error the decoder must not be used again: the place of the next frame is unknown.
#[derive(Debug)]
pub struct FrameDecoder {
    limits: Limits,
    partial: Option<Partial>,
    /// Attachments whose frames have not begun.
    batches: Batches,
}

/// A body that has memory of its own, and of which more is to come.
#[derive(Debug)]
struct Partial {
    kind: Kind,
    attachments: Attachments,
    body: BytesMut,
    /// How long `body` is when the chunk is there whose header came last.
    chunk_end: usize,
    /// Whether that is not the last one.
    more: bool,
}

impl Partial {
    /// How much of the chunk is still to come.
    fn left(&self) -> usize {
        self.chunk_end - self.body.len()
    }
}

/// What a header says.
#[derive(Debug, Clone, Copy)]
struct Header {
    bytes: usize,
    kind: Kind,
    more: bool,
    attached: usize,
    length: usize,
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            partial: None,
            batches: Batches::default(),
        }
    }

    /// Takes attachments over that have come together with bytes, before these are decoded. They are those of one frame, in
    /// order; `cut` when there were more, for which this process has no room. More than frames can have claimed are an
    /// error of the next [`decode`](Self::decode).
    pub fn attach(&mut self, batch: Vec<Attachment>, cut: bool) {
        self.batches.push(batch, cut);
    }

    /// Takes the next whole frame from the front of `received`; `None` when more bytes are needed.
    /// Short bodies share `received`'s memory; long ones, of which not all has come, have their own.
    ///
    /// # Errors
    /// [`DecodeError`]: the stream is broken.
    pub fn decode(&mut self, received: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        self.batches.check_few()?;
        loop {
            if let Some(partial) = &mut self.partial {
                let here = partial.left().min(received.len());
                partial.body.extend_from_slice(&received[..here]);
                received.advance(here);
                if partial.left() > 0 {
                    return Ok(None);
                }
                if let Some(whole) = self.partial.take_if(|it| !it.more) {
                    let frame = Frame::new(whole.kind, whole.body);
                    return Ok(Some(frame.with_attachments(whole.attachments)));
                }
            }
            let Some(header) = Header::parse(received)? else {
                self.batches.check_claimed(received)?;
                return Ok(None);
            };
            self.check(&header)?;
            let Header { kind, length, .. } = header;
            let is_here = received.len() - header.bytes >= length;
            let joins = header.more || self.partial.is_some() || (!is_here && length > LONG_BODY);
            let joins = joins && !kind.is_control();
            if !joins && !is_here {
                return Ok(None);
            }
            let attachments = match header.attached {
                0 => Attachments::NONE,
                claimed => self.batches.take(claimed)?,
            };
            received.advance(header.bytes);
            if joins {
                self.open_chunk(&header, attachments);
                continue;
            }
            let frame = Frame::new(kind, received.split_to(length));
            return Ok(Some(frame.with_attachments(attachments)));
        }
    }

    /// Where the next bytes of the stream belong, and how many of them, if they are of a long body: a receiver that has
    /// given all else to [`decode`](Self::decode) may append them here, and spares a copy.
    pub fn open_body(&mut self) -> Option<(&mut BytesMut, usize)> {
        let partial = self.partial.as_mut().filter(|it| it.left() > 0)?;
        let left = partial.left();
        Some((&mut partial.body, left))
    }

    /// Whether a part of a long body has come, and not yet the rest.
    #[must_use]
    pub fn is_mid_body(&self) -> bool {
        self.partial.is_some()
    }

    /// How many more bytes complete the frame, or the chunk of a long one, at the front of `received`, as far as is
    /// known.
    #[must_use]
    pub fn missing(&self, received: &BytesMut) -> usize {
        if let Some(partial) = self.partial.as_ref().filter(|it| it.left() > 0) {
            return partial.left();
        }
        match received.first_chunk::<HEADER_BYTES>() {
            None => HEADER_BYTES - received.len(),
            Some(&[a, b, c, d, kind]) => {
                let length = u32::from_le_bytes([a, b, c, d]) as usize;
                let header = HEADER_BYTES + usize::from(kind & ATTACHED != 0);
                (header + length.min(MAX_WIRE_BODY)).saturating_sub(received.len())
            }
        }
    }

    /// Refuses a frame by its header alone, before its body is waited for.
    fn check(&self, header: &Header) -> Result<(), DecodeError> {
        let Header {
            kind, more, length, ..
        } = *header;
        let refuse = |what| Err(DecodeError::BadChunk(what));
        let limit = if kind.is_short() {
            MAX_CONTROL_BYTES
        } else {
            MAX_WIRE_BODY
        };
        keep_within(length, limit)?;
        if more && length == 0 {
            return refuse("a chunk that is not the last is empty");
        }
        if more && kind.is_short() {
            return refuse("a short kind of frame is in chunks");
        }
        if header.attached > 0 && (kind.is_short() || self.partial.is_some()) {
            return Err(DecodeError::Attachments(
                "only the first chunk of a bulk frame has any",
            ));
        }
        match &self.partial {
            Some(partial) if !kind.is_control() => {
                if partial.kind != kind {
                    return refuse("another bulk frame between two chunks");
                }
                let limit = self.limits.max_body_bytes.max(MAX_WIRE_BODY);
                keep_within(partial.body.len() + length, limit)
            }
            _ => Ok(()),
        }
    }

    /// The header of a chunk was read.
    fn open_chunk(&mut self, header: &Header, attachments: Attachments) {
        let partial = self.partial.get_or_insert_with(|| Partial {
            kind: header.kind,
            attachments,
            body: BytesMut::new(),
            chunk_end: 0,
            more: header.more,
        });
        partial.chunk_end += header.length;
        partial.more = header.more;
    }
}

impl Header {
    /// The header at the front of what was received, once all of it is there.
    #[inline]
    fn parse(received: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some(&[a, b, c, d, kind]) = received.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let mut header = Self {
            bytes: HEADER_BYTES,
            kind: Kind::parse(kind & !(MORE | ATTACHED))?,
            more: kind & MORE != 0,
            attached: 0,
            length: u32::from_le_bytes([a, b, c, d]) as usize,
        };
        if kind & ATTACHED != 0 {
            let Some(&attached) = received.get(HEADER_BYTES) else {
                return Ok(None);
            };
            header.bytes += 1;
            header.attached = batches::claimed(attached)?;
        }
        Ok(Some(header))
    }
}

fn keep_within(claimed: usize, limit: usize) -> Result<(), DecodeError> {
    match claimed > limit {
        false => Ok(()),
        true => Err(DecodeError::TooLarge {
            claimed: claimed as u64,
            limit: limit as u64,
        }),
    }
}
