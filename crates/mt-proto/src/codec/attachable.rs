//! Bytes that may cross beside the others: how a value says so to this codec, and to no other one.
//!
//! Such a value is a newtype of a name that no Rust type has. To any other serializer it is a byte string, and so it is
//! where whoever encodes takes no attachments. Written are its place among the attachments, from 1 on, and its length;
//! or 0 and the byte string.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::{
    input::{Input, Unreadable},
    output::{Output, Unwritable},
    shape::Part,
};
use crate::Attachment;

/// The name by which both sides know each other.
pub(super) const ATTACHABLE: &str = "mt_proto::Attachable";

thread_local! {
    /// What the value that is just being written would attach.
    static OFFERED: Cell<Option<Attachment>> = const { Cell::new(None) };
    /// What was attached to the value that is just being read, and how many bytes it is to have.
    static FOUND: Cell<Option<(Attachment, u64)>> = const { Cell::new(None) };
}

/// Bytes that have arrived, in either way.
#[derive(Debug)]
pub enum Arrived<'a> {
    /// Among the others.
    Bytes(&'a [u8]),
    /// Beside them, and how many bytes it is said to have.
    Attached(Attachment, u64),
}

struct ByteString<'a>(&'a [u8]);

impl Serialize for ByteString<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// What the `Serialize` of a type does whose bytes may be attached: `attachment` is what has them, unless there are too
/// few. Its type's `Deserialize` is [`deserialize_attachable`].
///
/// # Errors
/// The serializer's.
pub fn serialize_attachable<S: Serializer>(
    bytes: &[u8],
    attachment: Option<Attachment>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    OFFERED.set(attachment);
    let written = serializer.serialize_newtype_struct(ATTACHABLE, &ByteString(bytes));
    OFFERED.take();
    written
}

/// What the `Deserialize` of a type does whose bytes may be attached.
///
/// # Errors
/// The deserializer's, and what `make` says.
pub fn deserialize_attachable<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    make: impl FnOnce(Arrived<'_>) -> Result<T, String>,
) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(ATTACHABLE, Maker(make))
}

struct Maker<F>(F);

impl<'de, T, F: FnOnce(Arrived<'_>) -> Result<T, String>> Visitor<'de> for Maker<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, bytes: D) -> Result<T, D::Error> {
        bytes.deserialize_bytes(self)
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        (self.0)(Arrived::Bytes(bytes)).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }

    /// Only our own decoder says so, of what is attached.
    fn visit_unit<E: serde::de::Error>(self) -> Result<T, E> {
        match FOUND.take() {
            Some((attachment, bytes)) => {
                (self.0)(Arrived::Attached(attachment, bytes)).map_err(E::custom)
            }
            None => Err(E::custom("nothing is attached")),
        }
    }
}

#[cold]
pub(super) fn write<T: Serialize + ?Sized, const CHECKED: bool>(
    output: &mut Output<'_, CHECKED>,
    bytes: &T,
) -> Result<(), Unwritable> {
    let offered = OFFERED.take();
    let attached = offered.and_then(|offered| Some((offered.bytes(), output.attach(offered)?)));
    output.leaf(Part::Attachable);
    match attached {
        None => {
            output.varint(0)?;
            bytes.serialize(output)
        }
        Some((len, place)) => {
            output.leaf(Part::Text);
            output.varint(place as u64 + 1)?;
            output.varint(len)
        }
    }
}

#[cold]
pub(super) fn read<'de, V: Visitor<'de>, const CHECKED: bool>(
    input: &mut Input<'de, CHECKED>,
    visitor: V,
) -> Result<V::Value, Unreadable> {
    input.leaf(Part::Attachable);
    let Some(place) = input.varint(64)?.checked_sub(1) else {
        return visitor.visit_newtype_struct(input);
    };
    input.leaf(Part::Text);
    let len = input.varint(64)?;
    let Some(attachment) = input.attachment(place) else {
        return Err(Unreadable::custom(
            "it names an attachment that is not there",
        ));
    };
    FOUND.set(Some((attachment, len)));
    let value = visitor.visit_unit();
    FOUND.take();
    value
}
