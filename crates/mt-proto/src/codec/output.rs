//! Where a value is written to.

use std::fmt::Display;

use serde::ser;

use super::{
    nesting::{Nesting, too_deep},
    shape::{Part, Run, Shape},
    walk::walk,
};
use crate::{Attachment, Attachments, clip_text};

/// Why a value is not written. One word, for it is in what every call returns.
#[derive(Debug)]
pub(crate) struct Unwritable(Box<Obstacle>);

/// What is in the way of a value.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// The value is longer than may be.
    Full,
    /// The value's `Serialize` said so, or we did.
    Refused(Box<str>),
}

impl Unwritable {
    #[cold]
    pub(super) fn refused(why: impl Display) -> Self {
        let why = clip_text(why.to_string()).into();
        Self(Box::new(Obstacle::Refused(why)))
    }

    #[cold]
    fn full() -> Self {
        Self(Box::new(Obstacle::Full))
    }

    pub(crate) fn into_obstacle(self) -> Obstacle {
        *self.0
    }
}

impl Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &*self.0 {
            Obstacle::Full => "there is no room for it",
            Obstacle::Refused(why) => why,
        })
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: Display>(message: T) -> Self {
        Self::refused(message)
    }
}

/// The most bytes that are made room for because elements are said to follow.
const EXPECTED_BYTES: usize = 1024 * 1024;

/// A buffer with an end. `CHECKED` keeps the shape of what is written.
#[derive(Debug)]
pub(crate) struct Output<'a, const CHECKED: bool> {
    bytes: &'a mut Vec<u8>,
    end: usize,
    /// What crosses beside the bytes, if whoever encodes takes that.
    attachments: Option<&'a mut Attachments>,
    shape: Shape,
    nesting: Nesting,
}

impl<'a, const CHECKED: bool> Output<'a, CHECKED> {
    /// Appends at most `limit` bytes.
    #[inline]
    pub(crate) fn new(
        bytes: &'a mut Vec<u8>,
        limit: usize,
        attachments: Option<&'a mut Attachments>,
    ) -> Self {
        let end = bytes.len().saturating_add(limit);
        Self {
            bytes,
            end,
            attachments,
            shape: Shape::EMPTY,
            nesting: Nesting::new(),
        }
    }

    /// Writes the shape of what was written.
    #[inline]
    pub(crate) fn seal(mut self) -> Result<(), Unwritable> {
        let shape = self.shape.to_bytes();
        self.slice(&shape)?;
        self.finish()
    }

    /// The place of what crosses beside the bytes; `None` if it has to be among them.
    pub(super) fn attach(&mut self, attachment: Attachment) -> Option<usize> {
        self.attachments.as_mut()?.attach(attachment)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    walk!(Unwritable);

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) -> Result<(), Unwritable> {
        if self.bytes.len() == self.bytes.capacity() {
            self.make_room(1)?;
        }
        self.bytes.push(byte);
        Ok(())
    }

    #[inline]
    pub(super) fn slice(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            self.make_room(bytes.len())?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Grows the buffer. What is over the limit is found here, or at the end if the buffer was long enough.
    #[cold]
    fn make_room(&mut self, more: usize) -> Result<(), Unwritable> {
        if self.end.saturating_sub(self.bytes.len()) < more {
            return Err(Unwritable::full());
        }
        self.bytes.reserve(more);
        Ok(())
    }

    /// So many elements follow: most take a byte at least.
    #[inline]
    pub(super) fn expect(&mut self, elements: usize) {
        let room = self.end.saturating_sub(self.bytes.len());
        self.bytes.reserve(elements.min(room).min(EXPECTED_BYTES));
    }

    /// The value ends.
    #[inline]
    pub(crate) fn finish(self) -> Result<(), Unwritable> {
        match self.bytes.len() <= self.end {
            true => Ok(()),
            false => Err(Unwritable::full()),
        }
    }

    /// Seven bits a byte, the least first; the highest bit says that more follow.
    #[inline]
    pub(super) fn varint(&mut self, value: u64) -> Result<(), Unwritable> {
        // Copies of a known length take no call.
        let more = |place: u32| (value >> (7 * place)) as u8 | 0x80;
        let last = |place: u32| (value >> (7 * place)) as u8;
        match value {
            0..0x80 => self.byte(last(0)),
            0x80..0x4000 => self.slice(&[more(0), last(1)]),
            0x4000..0x20_0000 => self.slice(&[more(0), more(1), last(2)]),
            0x20_0000..0x1000_0000 => self.slice(&[more(0), more(1), more(2), last(3)]),
            _ => self.long_varint(value),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self, mut value: u64) -> Result<(), Unwritable> {
        let mut buffer = [0_u8; 10];
        for (used, byte) in buffer.iter_mut().enumerate() {
            if value < 0x80 {
                *byte = value as u8;
                return self.slice(&buffer[..=used]);
            }
            *byte = value as u8 | 0x80;
            value >>= 7;
        }
        self.slice(&buffer)
    }

    #[inline(never)]
    pub(super) fn varint_128(&mut self, mut value: u128) -> Result<(), Unwritable> {
        let mut buffer = [0_u8; 19];
        let mut used = 0;
        while value >= 0x80 {
            buffer[used] = value as u8 | 0x80;
            value >>= 7;
            used += 1;
        }
        buffer[used] = value as u8;
        self.slice(&buffer[..=used])
    }
}

#[cold]
#[inline(never)]
fn nests_too_deep() -> Unwritable {
    Unwritable::refused(too_deep())
}
