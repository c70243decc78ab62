//! Values to bytes and back: postcard, with a size limit on the way out and no leftovers on the way in.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

use crate::{DecodeError, EncodeError};

/// Appends the encoding of `value` to `buffer`, at most `limit` bytes of it.
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
    let end = buffer.len().saturating_add(limit);
    postcard::serialize_with_flavor(value, Sink { buffer, end }).map_err(|error| match error {
        postcard::Error::SerializeBufferFull => EncodeError::TooLarge { limit },
        error => EncodeError::Value(error),
    })
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

/// The encoding of `value`, at most `limit` bytes.
///
/// # Errors
/// [`EncodeError`].
pub fn encode<T: Serialize + ?Sized>(value: &T, limit: usize) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = Vec::new();
    encode_into(&mut buffer, value, limit)?;
    Ok(buffer)
}

/// Decodes a value that takes up all of `bytes`. postcard itself ignores what is left over, which
/// would hide a peer that speaks another version; here it is an error.
///
/// # Errors
/// [`DecodeError::Value`] or [`DecodeError::Trailing`].
#[inline]
pub fn decode_strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(DecodeError::Value)?;
    match rest.len() {
        0 => Ok(value),
        left => Err(DecodeError::Trailing(left)),
    }
}

/// Where postcard writes: a `Vec` with an end. Slices are copied whole, not byte by byte.
struct Sink<'a> {
    buffer: &'a mut Vec<u8>,
    end: usize,
}

impl Flavor for Sink<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.buffer.len() >= self.end {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.buffer.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.end - self.buffer.len() < bytes.len() {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
