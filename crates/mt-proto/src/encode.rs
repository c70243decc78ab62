//! Values to bytes and back, with a size limit on the way out and no leftovers on the way in.

use std::any::{Any, TypeId, type_name};

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};

use crate::{
    Attachments, DecodeError, EncodeError, EncodedValue, MAX_RECORD_BYTES,
    codec::{Input, Obstacle, Output, Unwritable},
};

/// Appends the encoding of `value` to `buffer`, at most `limit` bytes of it. For messages of our own.
///
/// # Errors
/// [`EncodeError`]; the buffer is then as long as it was before. It is also restored when the
/// value's `Serialize` panics.
pub fn encode_into<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &T,
    limit: usize,
) -> Result<(), EncodeError> {
    all_or_nothing(buffer, |buffer| write_value(buffer, value, limit))
}

/// [`encode_into`] that leaves behind what it has written when it fails.
#[inline]
pub(crate) fn write_value<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &T,
    limit: usize,
) -> Result<(), EncodeError> {
    let mut output = Output::<'_, false>::new(buffer, limit, None);
    value
        .serialize(&mut output)
        .and_then(|()| output.finish())
        .map_err(|why| unwritable(why, limit))
}

/// Writes a value with its shape behind it, and what it attaches to `attachments` if that is there.
#[inline]
fn write_checked<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &T,
    limit: usize,
    attachments: Option<&mut Attachments>,
) -> Result<(), EncodeError> {
    let mut output = Output::<'_, true>::new(buffer, limit, attachments);
    value
        .serialize(&mut output)
        .and_then(|()| output.seal())
        .map_err(|why| unwritable(why, limit))
}

/// The limit of the user's counts what crosses beside the bytes too. That of the wire does not, which is the default.
#[cold]
fn keep_attached_within(
    limit: usize,
    bytes: usize,
    attachments: &Attachments,
) -> Result<(), EncodeError> {
    let all = attachments.bytes().saturating_add(bytes as u64);
    match limit < MAX_RECORD_BYTES && all > limit as u64 {
        true => Err(EncodeError::TooLarge { limit }),
        false => Ok(()),
    }
}

/// Writes an item, or a result: as [`encode_item`] has it, and leaves behind what it has written when it fails.
#[inline]
pub(crate) fn write_item<T: Serialize + 'static>(
    buffer: &mut Vec<u8>,
    value: &T,
    limit: usize,
    attachments: Option<&mut Attachments>,
) -> Result<(), EncodeError> {
    // Which it is is known when it is compiled.
    if let Some(bytes) = (value as &dyn Any).downcast_ref::<Vec<u8>>() {
        let mut output = Output::<'_, false>::new(buffer, limit, None);
        let written = output.serialize_bytes(bytes).and_then(|()| output.finish());
        return written.map_err(|why| unwritable(why, limit));
    }
    write_as::<T, T>(buffer, value, limit, attachments)
}

/// Writes what serialises as a `T` does, with its shape if an item of type `T` goes with one.
#[inline]
pub(crate) fn write_as<T: 'static, V: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &V,
    limit: usize,
    attachments: Option<&mut Attachments>,
) -> Result<(), EncodeError> {
    match is_plain::<T>() {
        true => write_value(buffer, value, limit),
        false => write_attaching(buffer, value, limit, attachments),
    }
}

/// [`write_checked`], with the attachments, which are none before, counted where the limit is the user's.
#[inline]
fn write_attaching<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    value: &T,
    limit: usize,
    attachments: Option<&mut Attachments>,
) -> Result<(), EncodeError> {
    let Some(attachments) = attachments else {
        return write_checked(buffer, value, limit, None);
    };
    let before = buffer.len();
    write_checked(buffer, value, limit, Some(attachments))?;
    match attachments.is_empty() {
        true => Ok(()),
        false => keep_attached_within(limit, buffer.len() - before, attachments),
    }
}

#[cold]
fn unwritable(why: Unwritable, limit: usize) -> EncodeError {
    match why.into_obstacle() {
        Obstacle::Full => EncodeError::TooLarge { limit },
        Obstacle::Refused(why) => EncodeError::Value(why),
    }
}

/// Shortens the buffer again unless the appending went through, also on unwinding.
#[inline]
pub(crate) fn all_or_nothing<E>(
    buffer: &mut Vec<u8>,
    append: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    struct Restore<'a> {
        buffer: &'a mut Vec<u8>,
        keep: usize,
    }
    impl Drop for Restore<'_> {
        fn drop(&mut self) {
            self.buffer.truncate(self.keep);
        }
    }
    let keep = buffer.len();
    let mut guard = Restore { buffer, keep };
    append(guard.buffer)?;
    guard.keep = usize::MAX;
    Ok(())
}

/// The encoding of `value`, at most `limit` bytes. For messages of our own.
///
/// # Errors
/// [`EncodeError`].
pub fn encode<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = Vec::new();
    encode_into(&mut buffer, value, limit)?;
    Ok(buffer)
}

/// The encoding of a value of the user's, with the shape of what was written behind it: what is read in another shape
/// is refused by [`decode_checked`].
///
/// # Errors
/// [`EncodeError`].
pub fn encode_checked<T: Serialize + ?Sized>(
    value: &T,
    limit: usize,
) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = Vec::new();
    write_checked(&mut buffer, value, limit, None)?;
    Ok(buffer)
}

/// [`encode_checked`] that leaves large bytes of the value beside the others, in `attachments`, where those of other values
/// may be. Read by [`decode_attached`].
///
/// # Errors
/// [`EncodeError`].
pub fn encode_attaching<T: Serialize + ?Sized>(
    value: &T,
    limit: usize,
    attachments: &mut Attachments,
) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = Vec::new();
    write_checked(&mut buffer, value, limit, Some(attachments))?;
    Ok(buffer)
}

/// [`encode_checked`] for a value whose type is the same where it is decoded, by [`decode_item`]: numbers, text and
/// the like are known to be read as they are written, and go without their shape.
///
/// # Errors
/// [`EncodeError`].
pub fn encode_item<T: Serialize + 'static>(
    value: &T,
    limit: usize,
) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = Vec::new();
    write_item(&mut buffer, value, limit, None)?;
    Ok(buffer)
}

/// Appends an item to other bytes, as [`decode_item_attached`] reads it; nothing when it fails. Its large bytes are left
/// beside, in `attachments`, which are none before.
///
/// # Errors
/// [`EncodeError`].
pub fn append_item<T: Serialize + 'static>(
    buffer: &mut Vec<u8>,
    value: &T,
    limit: usize,
    attachments: &mut Attachments,
) -> Result<(), EncodeError> {
    all_or_nothing(buffer, |buffer| {
        write_item(buffer, value, limit, Some(attachments))
    })
}

/// Decodes a value that takes up all of `bytes`: what is left over would hide a peer that speaks another version, and
/// is an error.
///
/// # Errors
/// [`DecodeError::Value`] or [`DecodeError::Trailing`].
#[inline]
pub fn decode_strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    read_whole(bytes)
}

#[inline]
fn read_whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let (value, rest) = take_from_bytes(bytes)?;
    match rest.len() {
        0 => Ok(value),
        left => Err(DecodeError::Trailing(left)),
    }
}

/// Decodes the value at the front of `bytes`. Returns what comes behind it too.
///
/// # Errors
/// [`DecodeError::Value`].
#[inline]
pub(crate) fn take_from_bytes<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
) -> Result<(T, &'a [u8]), DecodeError> {
    let mut input = Input::<'_, false>::new(bytes, &Attachments::NONE);
    match T::deserialize(&mut input) {
        Ok(value) => Ok((value, input.left())),
        Err(why) => Err(DecodeError::Value(why.into_text())),
    }
}

/// Decodes what [`encode_checked`] has made.
///
/// # Errors
/// [`DecodeError::Value`], or [`DecodeError::OtherShape`] when it was written as something else than it is read as.
#[inline]
pub fn decode_checked<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode_attached(bytes, &Attachments::NONE)
}

/// Decodes what [`encode_attaching`] has made.
///
/// # Errors
/// As [`decode_checked`], also where the value names an attachment that is not there, or is not what it should be.
#[inline]
pub fn decode_attached<T: DeserializeOwned>(
    bytes: &[u8],
    attachments: &Attachments,
) -> Result<T, DecodeError> {
    let Some((value, shape)) = bytes.split_last_chunk() else {
        return Err(DecodeError::Short("a value without its shape"));
    };
    let mut input = Input::<'_, true>::new(value, attachments);
    let value = T::deserialize(&mut input).map_err(|why| DecodeError::Value(why.into_text()))?;
    match input.left().is_empty() && input.shape().to_bytes() == *shape {
        true => Ok(value),
        false => Err(DecodeError::OtherShape),
    }
}

/// Decodes what [`encode_item`] has made of a `T`.
///
/// # Errors
/// As [`decode_checked`].
#[inline]
pub fn decode_item<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode_item_attached(bytes, &Attachments::NONE)
}

/// [`decode_item`] of a value that may have large bytes beside the others.
///
/// # Errors
/// As [`decode_attached`].
#[inline]
pub fn decode_item_attached<T: DeserializeOwned + 'static>(
    bytes: &[u8],
    attachments: &Attachments,
) -> Result<T, DecodeError> {
    match is_plain::<T>() {
        true => decode_plain(bytes),
        false => decode_attached(bytes, attachments),
    }
}

/// Decodes an item that goes without its shape.
#[inline]
fn decode_plain<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut item = None::<T>;
    // Which it is is known when it is compiled.
    match (&mut item as &mut dyn Any).downcast_mut::<Option<Vec<u8>>>() {
        Some(whole) => *whole = Some(read_whole::<&[u8]>(bytes)?.to_vec()),
        None => item = Some(read_whole(bytes)?),
    }
    Ok(item.expect("one of the two has read it"))
}

/// The type of an item, as [`encode_item`] has encoded it, for those who name a type again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemType {
    id: TypeId,
    name: &'static str,
    plain: bool,
}

impl ItemType {
    /// `T`, as an item's type.
    #[must_use]
    pub fn of<T: 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
            plain: is_plain::<T>(),
        }
    }

    /// Decodes an item of this type as an `I`.
    ///
    /// # Errors
    /// As [`decode_attached`], and [`DecodeError::OtherType`].
    pub fn decode<I: DeserializeOwned + 'static>(
        self,
        item: &EncodedValue,
    ) -> Result<I, DecodeError> {
        match self.plain {
            false => decode_attached(&item.bytes, &item.attachments),
            true if self.id == TypeId::of::<I>() => decode_plain(&item.bytes),
            true => Err(DecodeError::OtherType {
                sent: self.name.into(),
                asked: type_name::<I>().into(),
            }),
        }
    }
}

/// Whether a type is one of those that are certain to be read as they are written. Known when it is compiled.
#[inline]
pub(crate) fn is_plain<T: 'static>() -> bool {
    macro_rules! any_of {
        ($($ty:ty),* $(,)?) => {
            false $(|| TypeId::of::<T>() == TypeId::of::<$ty>())*
        };
    }
    any_of!(
        u64,
        (),
        bytes::Bytes,
        String,
        Vec<u8>,
        u8,
        u16,
        u32,
        u128,
        usize,
        i8,
        i16,
        i32,
        i64,
        i128,
        isize,
        bool,
        char,
        f32,
        f64,
        Vec<u16>,
        Vec<u32>,
        Vec<u64>,
        Vec<usize>,
        Vec<i8>,
        Vec<i16>,
        Vec<i32>,
        Vec<i64>,
        Vec<f32>,
        Vec<f64>,
        Vec<String>,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case I13: A value that is refused leaves the buffer as it was, and the limit is exact.
    #[test]
    fn limit_is_exact_and_a_refused_value_leaves_nothing() {
        let mut buffer = vec![9];
        let text = "x".repeat(100); // 1 length byte and 100 of text
        assert_eq!(
            encode_into(&mut buffer, &text, 100),
            Err(EncodeError::TooLarge { limit: 100 })
        );
        assert_eq!(buffer, [9]);
        assert_eq!(encode_into(&mut buffer, &text, 101), Ok(()));
        assert_eq!(buffer.len(), 102);
    }

    #[test]
    fn a_panicking_serialize_leaves_nothing() {
        struct Bomb;
        impl Serialize for Bomb {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeTuple;
                let mut tuple = s.serialize_tuple(2)?;
                tuple.serialize_element(&7u8)?;
                panic!("boom");
            }
        }
        let mut buffer = vec![1, 2];
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = encode_into(&mut buffer, &Bomb, 100);
        }));
        assert!(caught.is_err());
        assert_eq!(buffer, [1, 2]);
    }

    /// Case I17: Bytes that are left over after a message are an error.
    #[test]
    fn leftovers_are_refused() {
        assert_eq!(decode_strict::<u8>(&[1]), Ok(1));
        assert_eq!(decode_strict::<u8>(&[1, 2]), Err(DecodeError::Trailing(1)));
        assert!(matches!(
            decode_strict::<u8>(&[]),
            Err(DecodeError::Value(_))
        ));
    }

    #[test]
    fn a_claimed_length_of_2_to_the_60_is_refused() {
        let mut bytes = encode(&(1u64 << 60), 20).expect("encodes");
        bytes.resize(20, 0);
        let is_no_value = |error| matches!(error, DecodeError::Value(_));
        assert!(decode_strict::<String>(&bytes).is_err_and(is_no_value));
        assert!(decode_strict::<Vec<u64>>(&bytes).is_err_and(is_no_value));
    }
}
