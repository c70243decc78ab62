//! Where a value is read from.

use std::{fmt::Display, slice};

use serde::de;

use super::{
    nesting::{Nesting, too_deep},
    shape::{Part, Shape},
};
use crate::clip_text;

/// Why bytes are not read as a value: its `Deserialize` said so, or we did. One word, for it is in what every call
/// returns.
#[derive(Debug)]
pub(crate) struct Unreadable(Box<Box<str>>);

impl Unreadable {
    #[cold]
    pub(super) fn because(why: impl Display) -> Self {
        Self(Box::new(clip_text(why.to_string()).into()))
    }

    pub(crate) fn into_text(self) -> Box<str> {
        *self.0
    }
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: Display>(message: T) -> Self {
        Self::because(message)
    }
}

/// The bytes that are left. `CHECKED` keeps the shape of what is read.
#[derive(Debug)]
pub(crate) struct Input<'de, const CHECKED: bool> {
    left: slice::Iter<'de, u8>,
    shape: Shape,
    nesting: Nesting,
}

impl<'de, const CHECKED: bool> Input<'de, CHECKED> {
    #[inline]
    pub(crate) fn new(bytes: &'de [u8]) -> Self {
        Self {
            left: bytes.iter(),
            shape: Shape::EMPTY,
            nesting: Nesting::default(),
        }
    }

    /// What is not read yet.
    #[inline]
    pub(crate) fn left(&self) -> &'de [u8] {
        self.left.as_slice()
    }

    #[inline]
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    #[inline]
    pub(super) fn leaf(&mut self, part: Part) {
        if CHECKED {
            self.shape.leaf(part);
        }
    }

    /// An element of a sequence begins. Returns what [`end_element`](Self::end_element) wants.
    #[inline]
    pub(super) fn begin_element(&mut self) -> Shape {
        match CHECKED {
            true => std::mem::replace(&mut self.shape, Shape::EMPTY),
            false => Shape::EMPTY,
        }
    }

    /// An element of a sequence ends, with so many `left`; the one before had the shape `last`.
    #[inline]
    pub(super) fn end_element(&mut self, outer: Shape, left: usize, last: &mut Shape) {
        if CHECKED {
            self.shape = outer.with_element(self.shape, left, last);
        }
    }

    /// A container begins.
    #[inline]
    pub(super) fn open(&mut self, part: Part) -> Result<(), Unreadable> {
        if CHECKED {
            self.shape.bracket(part);
        }
        match self.nesting.enter() {
            Some(()) => Ok(()),
            None => Err(Unreadable::because(too_deep())),
        }
    }

    /// A container ends that needs no mark of its end.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.nesting.leave();
    }

    /// A container ends.
    #[inline]
    pub(super) fn close(&mut self) {
        self.nesting.leave();
        if CHECKED {
            self.shape.bracket(Part::End);
        }
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Unreadable> {
        match self.left.next() {
            Some(&byte) => Ok(byte),
            None => Err(cut()),
        }
    }

    #[inline]
    pub(super) fn slice(&mut self, len: usize) -> Result<&'de [u8], Unreadable> {
        let Some((bytes, left)) = self.left().split_at_checked(len) else {
            return Err(cut());
        };
        self.left = left.iter();
        Ok(bytes)
    }

    /// Bytes of a known number.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let Some((&bytes, left)) = self.left().split_first_chunk() else {
            return Err(cut());
        };
        self.left = left.iter();
        Ok(bytes)
    }

    /// A number of at most `bits` bits.
    #[inline]
    pub(super) fn varint(&mut self, bits: u32) -> Result<u64, Unreadable> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(first.into());
        }
        self.long_varint(first, bits)
    }

    #[inline]
    fn long_varint(&mut self, first: u8, bits: u32) -> Result<u64, Unreadable> {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        while shift < bits {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if bits - shift < 7 && part >> (bits - shift) != 0 {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
        Err(Unreadable::because(format_args!(
            "a number of more than {bits} bits"
        )))
    }

    pub(super) fn varint_128(&mut self) -> Result<u128, Unreadable> {
        let mut value = 0;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            if shift == 126 && part > 3 {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Unreadable::because("a number of more than 128 bits"))
    }

    /// How many bytes or elements follow.
    #[inline]
    pub(super) fn len(&mut self) -> Result<usize, Unreadable> {
        Ok(self.varint(usize::BITS)? as usize)
    }
}

#[cold]
fn cut() -> Unreadable {
    Unreadable::because("the bytes end before the value does")
}
