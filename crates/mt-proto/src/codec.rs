//! Values to bytes and back: the encoding of everything that crosses.
//!
//! The bytes are those of [postcard](https://postcard.jamesmunns.com/wire-format): values alone, no names and no
//! types. What is different is what is refused. A type whose `Serialize` leaves something out, or tells a length
//! that it does not keep, is an error where it is written; what nests too deep is one on both sides; and a
//! *checked* value carries the [`Shape`] of what was written, which must be that of what is read. See
//! `docs/decisions/0040-what-is-read-is-what-was-written.md`.

mod nesting;
mod shape;
mod walk;

mod output;

mod containers;

mod serialize;

mod input;

mod access;

mod deserialize;

mod attachable;

pub use self::{
    attachable::{Arrived, deserialize_attachable, serialize_attachable},
    nesting::{MAX_NESTING, MAX_NESTING_STACK_BYTES},
    shape::MAX_EMPTY_ELEMENTS,
};
pub(crate) use self::{
    input::Input,
    output::{Obstacle, Output, Unwritable},
};
