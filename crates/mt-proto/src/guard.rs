//! The one way in which user code runs in a process that must not end of it: the parent.
//!
//! User code is all that a caller's types and functions do: `Serialize`, `Deserialize`, `Display`, `Drop`, the next
//! of an iterator or a stream, callbacks, subscribers of `tracing`, wakers. A panic of any of it comes back as a
//! [`UserPanic`], whose payload is gone already: dropping that is user code too, and may panic once more.

mod payload;

use std::{
    any::Any,
    fmt,
    ops::{Deref, DerefMut},
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Attachments, DecodeError, EncodeError, decode_checked, encode_attaching, encode_checked,
};

pub use payload::{borrowed_text, discard, panic_text};

/// A panic of user code. It displays its message, cut if it is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPanic(String);

impl UserPanic {
    /// The message.
    #[must_use]
    pub fn into_message(self) -> String {
        self.0
    }

    #[cold]
    fn of(payload: Box<dyn Any + Send>) -> Self {
        let message = panic_text(&*payload);
        discard(payload);
        Self(message)
    }
}

impl From<UserPanic> for EncodeError {
    fn from(panic: UserPanic) -> Self {
        Self::Panicked(panic.0)
    }
}

impl From<UserPanic> for DecodeError {
    fn from(panic: UserPanic) -> Self {
        Self::Panicked(panic.0)
    }
}

impl fmt::Display for UserPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs user code.
///
/// What the code owns it drops while it unwinds, and a second panic then ends the process: lend it what has a `Drop`
/// of the user's, and [`dispose`] of that afterwards.
///
/// # Errors
/// [`UserPanic`]. It was shown as every panic is.
#[inline]
pub fn guarded<R>(code: impl FnOnce() -> R) -> Result<R, UserPanic> {
    catch_unwind(AssertUnwindSafe(code)).map_err(UserPanic::of)
}

/// Drops a value of the user's. A panic of that, which was shown as every panic is, changes nothing.
#[inline]
pub fn dispose<V>(value: V) {
    let _ = guarded(|| drop(value));
}

/// [`encode_checked`] with the `Serialize` guarded.
///
/// # Errors
/// [`EncodeError`].
pub fn encode_guarded<V: Serialize + ?Sized>(
    value: &V,
    limit: usize,
) -> Result<Vec<u8>, EncodeError> {
    guarded(|| encode_checked(value, limit))?
}

/// [`encode_attaching`] with the `Serialize` guarded.
///
/// # Errors
/// [`EncodeError`]. There may then be attachments that no value names.
pub fn encode_attaching_guarded<V: Serialize + ?Sized>(
    value: &V,
    limit: usize,
    attachments: &mut Attachments,
) -> Result<Vec<u8>, EncodeError> {
    guarded(|| encode_attaching(value, limit, attachments))?
}

/// [`decode_checked`] with the `Deserialize` guarded.
///
/// # Errors
/// [`DecodeError::Value`], [`DecodeError::Trailing`] or [`DecodeError::Panicked`].
#[inline]
pub fn decode_guarded<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, DecodeError> {
    guarded(|| decode_checked(bytes))?
}

/// A value of the user's that is [disposed](dispose) of when this is dropped, wherever that is.
pub struct Kept<V>(Option<V>);

impl<V> Kept<V> {
    /// Keeps a value.
    pub fn new(value: V) -> Self {
        Self(Some(value))
    }

    /// The value, which is no longer kept.
    #[must_use]
    pub fn into_inner(mut self) -> V {
        self.0.take().expect("taken only here and on drop")
    }
}

impl<V> Deref for Kept<V> {
    type Target = V;

    #[inline]
    fn deref(&self) -> &V {
        self.0.as_ref().expect("taken only on drop")
    }
}

impl<V> DerefMut for Kept<V> {
    #[inline]
    fn deref_mut(&mut self) -> &mut V {
        self.0.as_mut().expect("taken only on drop")
    }
}

impl<V> Drop for Kept<V> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            dispose(value);
        }
    }
}

impl<V> fmt::Debug for Kept<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{panic_any, resume_unwind};

    use super::*;

    /// A payload whose drop panics with another of its kind, so many times.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0 > 0 {
                panic_any(Bomb(self.0 - 1));
            }
        }
    }

    #[test]
    fn a_panic_comes_back_with_its_message() {
        assert_eq!(guarded(|| 7), Ok(7));
        let text = |panic: fn()| guarded(panic).map_err(UserPanic::into_message);
        assert_eq!(text(|| panic!("boom")), Err("boom".into()));
        assert_eq!(text(|| panic!("{}", 7)), Err("7".into()));
        assert_eq!(
            text(|| resume_unwind(Box::new("again"))),
            Err("again".into())
        );
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_changes_nothing() {
        for again in [0, 1, 2, 50] {
            assert!(guarded(|| panic_any(Bomb(again))).is_err());
            dispose(Bomb(again));
            drop(Kept::new(Bomb(again)));
        }
    }

    #[test]
    fn what_is_kept_is_the_value() {
        let mut kept = Kept::new(vec![1]);
        kept.push(2);
        assert_eq!((kept.len(), kept.into_inner()), (2, vec![1, 2]));
    }
}
