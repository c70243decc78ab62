//! What may cross to a worker process and back.

use serde::{Serialize, de::DeserializeOwned};

/// A value that can be sent to a worker process and back: `Serialize + DeserializeOwned`, owned, and
/// `Send`. Implemented for every such type; there is nothing to implement by hand.
///
/// The encoding is [postcard](https://docs.rs/postcard). Byte strings travel fastest as
/// [`bytes::Bytes`] or behind `#[serde(with = "serde_bytes")]`: a plain `Vec<u8>` is encoded byte by
/// byte.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't cross to a worker process",
    label = "this must be `Serialize + Deserialize + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for `{Self}`, or pass something that has them (a path, an id) and make the rest in the worker",
    note = "what every item needs goes in a `#[shared]` argument, what can't be sent at all (a connection, a client) in a `#[context]`"
)]
pub trait Wire: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Wire for T {}

/// Compiles only if `T` can cross. For the macros.
#[doc(hidden)]
#[must_use]
pub const fn wire<T: Wire>() -> bool {
    true
}

/// Gives `Self` back when the argument compiles. For the macros.
#[doc(hidden)]
pub trait Checked<const CHECKED: bool> {
    /// `Self`.
    type Type;
}

impl<T, const CHECKED: bool> Checked<CHECKED> for T {
    type Type = T;
}
