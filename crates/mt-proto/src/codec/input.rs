//! Where a value is read from.

use std::{cell::RefCell, fmt::Display, slice};

use serde::de;

use super::{
    nesting::{Nesting, too_deep},
    shape::{Part, Run, Shape},
    walk::walk,
};
use crate::{Attachment, Attachments, clip_text};

/// Why bytes are not read as a value: its `Deserialize` said so, or we did.
///
/// The error takes no room, for it is in what every call returns: that is then returned in registers. The words are the
/// thread's, until the next ones.
#[derive(Debug)]
pub(crate) struct Unreadable(());

thread_local! {
    /// What the last [`Unreadable`] of this thread says.
    static WHY: RefCell<Box<str>> = RefCell::default();
}

impl Unreadable {
    #[cold]
    pub(super) fn because(why: impl Display) -> Self {
        // The user's `Display` has ended when the words are kept.
        let why = clip_text(why.to_string()).into();
        WHY.set(why);
        Self(())
    }

    pub(crate) fn into_text(self) -> Box<str> {
        WHY.take()
    }
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = WHY.with_borrow(Clone::clone);
        f.write_str(&why)
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
    /// What came beside the bytes.
    attachments: &'de Attachments,
    /// The elements that there may still be room made for before they are seen, of all sequences and maps together.
    reservable: usize,
    shape: Shape,
    nesting: Nesting,
}

impl<'de, const CHECKED: bool> Input<'de, CHECKED> {
    #[inline]
    pub(crate) fn new(bytes: &'de [u8], attachments: &'de Attachments) -> Self {
        Self {
            left: bytes.iter(),
            attachments,
            reservable: bytes.len(),
            shape: Shape::EMPTY,
            nesting: Nesting::new(),
        }
    }

    pub(super) fn attachment(&self, place: u64) -> Option<Attachment> {
        let place = usize::try_from(place).ok()?;
        self.attachments.as_slice().get(place).cloned()
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

    walk!(Unreadable);

    /// A sequence, or a map, claims so many elements. Whether room may be made for them now.
    ///
    /// An element takes a byte at least that no other one takes, except those that take none. So what was really
    /// written has its room at once, and what is only claimed has no more of it than there are bytes, however claims
    /// nest.
    #[inline]
    pub(super) fn reserve(&mut self, claimed: usize) -> bool {
        let left = self.reservable.checked_sub(claimed);
        self.reservable = left.unwrap_or(self.reservable);
        left.is_some()
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
        let Some(&bytes) = self.left().first_chunk() else {
            return Err(cut());
        };
        // The end stays where it is.
        self.left.nth(N - 1);
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
        // A copy, so that where it stands is written once.
        let mut left = self.left.clone();
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        while shift < bits {
            let Some(&byte) = left.next() else {
                return Err(cut());
            };
            let part = u64::from(byte & 0x7f);
            if bits - shift < 7 && part >> (bits - shift) != 0 {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                self.left = left;
                return Ok(value);
            }
            shift += 7;
        }
        Err(too_wide(bits))
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
        Err(too_wide(128))
    }

    /// How many bytes or elements follow.
    #[inline]
    pub(super) fn len(&mut self) -> Result<usize, Unreadable> {
        Ok(self.varint(usize::BITS)? as usize)
    }
}

// What goes wrong is told out of line: what goes right is then short enough to be inlined.

#[cold]
#[inline(never)]
fn nests_too_deep() -> Unreadable {
    Unreadable::because(too_deep())
}

#[cold]
#[inline(never)]
fn too_wide(bits: u32) -> Unreadable {
    Unreadable::because(format_args!("a number of more than {bits} bits"))
}

#[cold]
#[inline(never)]
fn cut() -> Unreadable {
    Unreadable::because("the bytes end before the value does")
}
