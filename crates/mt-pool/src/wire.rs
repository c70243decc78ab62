//! What may cross to a worker process and back.

#[cfg(feature = "json")]
mod json;

use serde::{Serialize, de::DeserializeOwned};

#[cfg(feature = "json")]
pub use json::Json;

/// A value that can be sent to a worker process and back: `Serialize + DeserializeOwned`, owned, and
/// `Send`. Implemented for every such type; there is nothing to implement by hand.
///
/// # What crosses, and what does not
/// A value arrives as it was sent, or it is an error; it is never another value. The encoding writes values and no names
/// of fields, so a type whose `Deserialize` must see what was written before it knows what to read, or whose `Serialize`
/// leaves something out, is refused:
///
/// | type | crosses? | what to do |
/// |---|---|---|
/// | all numbers, `i128` and `u128` too; `NaN` with its bits; `char`, `String`, `()` | as they are | |
/// | `Option<Option<T>>`, enums, structs, tuples, newtypes; maps with keys of any type; `Duration`, `SystemTime`, `IpAddr`, `PathBuf` | as they are | a time before 1970 and a path that is not UTF-8 are refused by their `Serialize` |
/// | of a field: `#[serde(skip)]`, `default` where it is always written, `rename`, `alias`; of a variant: `rename`, `other` | as both sides have it | |
/// | a variant that is not read where it is written: behind one with `skip` or `alias`, or with a name for each side | refused where it is read | let both sides have the same variants, or `Json` |
/// | `skip_serializing_if`, for a value in which the field is there | as it is | |
/// | the same, where the field is left out | refused where it is written, by the field's name | wrap it: `mt_pool::Json<T>` (feature `json`), or drop the attribute |
/// | `skip_serializing`, `skip_deserializing`, `serialize_with`, `into` and `from`, where what is read is not what was written | refused where it is read | let them agree, or `Json` |
/// | `flatten`; a sequence or a map of a length that is not known before it is walked | refused where it is written | `Json`, or collect it first |
/// | `untagged`, `tag = "…"`, `serde_json::Value`, whatever calls `deserialize_any` | refused where it is read | `Json` |
/// | a `Serialize` that tells a length and writes another | refused where it is written | mend it |
/// | a map that writes a key twice | as its type reads it: the last one for a `HashMap` | |
/// | more than 1,023 containers within each other, or more than 1 MiB of stack to walk them (big types, builds without optimisation) | refused where it is written, and where it is read | keep it flat: a `Vec` whose elements name each other by index. The drop of a deep value is its own, and nests too |
/// | more than 16 million `()` in one sequence | refused | a number |
/// | borrowed data: `&str`, `&[u8]`, `Cow` with a lifetime | does not compile as what a task takes or returns; by name, `&str` is read as `String` | own it: `String`, `Vec`, `Arc` with serde's feature `rc`. In a [`scope`](crate::scope()) an item may be given as a reference; see [`CrossesAs`](crate::input::CrossesAs) |
/// | one `Arc` in two places | as two values | |
/// | `Rc`, `RefCell` guards, file handles, sockets, clients, pointers | no | send what they are made of (a path, an address); make them in the worker, in a [`Context`](crate::Context) |
/// | closures and function pointers | no | name a [`#[task]`](macro@crate::task) |
/// | a value of 1 GiB and more once encoded | no | a path to a file |
///
/// The same holds for items, results and typed errors, shared values, configs of contexts, what hooks take and return,
/// and in a hive for what bees are made of, arguments, values, errors and progress. A queen's tasks are called in the
/// caller's process: nothing of them is encoded.
///
/// An input that does not encode, a result that does not, and a value that does not decode are each the outcome of
/// that one item: [`Unserialisable`](crate::TaskErrorKind::Unserialisable),
/// [`Undecodable`](crate::TaskErrorKind::Undecodable), [`TooLarge`](crate::TaskErrorKind::TooLarge), with what the type
/// itself says of why it refuses. Of shared values and configs it is an error of the start.
///
/// Byte strings travel fastest as an item or a result that is a `Vec<u8>`, as [`bytes::Bytes`], or behind
/// `#[serde(with = "serde_bytes")]`: a `Vec<u8>` within another value is encoded byte by byte.
///
/// # Memory
/// A value that is decoded takes what its type takes in memory, which may be more than its bytes: a `String` of one byte
/// takes 24, a `[u64; 8]` of eight 64. Before its bytes are seen, sequences and maps are given room for at most one
/// element a byte, all of them together, whatever they claim, and for at most 1 MiB each.
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
