//! What may cross to a worker process and back.

#[cfg(feature = "json")]
mod json;

use serde::{Serialize, de::DeserializeOwned};

#[cfg(feature = "json")]
pub use json::Json;

/// A value that can be sent to a worker process and back: `Serialize + DeserializeOwned`, owned, and
/// `Send`. Implemented for every such type; there is nothing to implement by hand.
///
/// # What does not cross
/// The encoding is [postcard](https://docs.rs/postcard), which writes values and no names of fields. A type whose
/// `Deserialize` must see what was written before it knows what to read, or whose `Serialize` leaves something out,
/// does not come back:
///
/// | not carried | what to do |
/// |---|---|
/// | `serde_json::Value` and other values of any shape; `#[serde(flatten)]`, `untagged`, `tag = "…"`; `skip_serializing_if` | wrap it: `mt_pool::Json<T>` (feature `json`), or drop the attribute for a type of its own |
/// | borrowed data: `&str`, `&[u8]`, `Cow` with a lifetime | own it: `String`, `Vec`, `Arc` with serde's feature `rc` |
/// | `Rc`, `RefCell` guards, file handles, sockets, clients, pointers | send what they are made of (a path, an address); make them in the worker, in a [`Context`](crate::Context) |
/// | closures and function pointers | name a [`#[task]`](macro@crate::task) |
/// | a value of 1 GiB and more once encoded | a path to a file |
///
/// An input that does not encode, a result that does not, and a value that does not decode are each the outcome of
/// that one item: [`Unserialisable`](crate::TaskErrorKind::Unserialisable),
/// [`Undecodable`](crate::TaskErrorKind::Undecodable), [`TooLarge`](crate::TaskErrorKind::TooLarge). Some of the
/// attributes above are only seen by reading, and a value that reads as another one is not seen at all: try a new
/// type once there and back.
///
/// Byte strings travel fastest as [`bytes::Bytes`] or behind `#[serde(with = "serde_bytes")]`: a plain `Vec<u8>` is
/// encoded byte by byte.
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
