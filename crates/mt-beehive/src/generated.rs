//! What the code written by `#[worker]` and `#[queen]` calls. For the macros; not for people.

use std::{any::type_name, fmt::Display};

use bytes::Bytes;
use mt_pool::Wire;
use mt_proto::{ContextStep, Failure, MAX_RECORD_BYTES, clip_text, decode_checked, encode_checked};

use crate::{
    bee::WorkerBee,
    call::Unsuccessful,
    error::BeehiveError,
    queen::{BeehiveRun, hive_of},
};

/// Decodes the arguments of a task.
pub fn decode_args<A: Wire>(args: &[u8]) -> Result<A, Unsuccessful> {
    // guarded: by the executor, in whose process this is.
    decode_checked(args).map_err(|error| {
        let message = format!("{}: {error}", type_name::<A>());
        Unsuccessful::Failed(Failure::Undecodable { message })
    })
}

/// Encodes what a task returned.
pub fn encode_value<V: Wire>(value: &V) -> Result<Bytes, Unsuccessful> {
    // guarded: by the executor, in whose process this is.
    let encoded = encode_checked(value, MAX_RECORD_BYTES).map(Bytes::from);
    encoded.map_err(|error| Unsuccessful::Failed(error.into()))
}

/// The bee's own hive is not there.
#[must_use]
pub fn no_hive(error: &BeehiveError) -> Unsuccessful {
    Unsuccessful::Failed(Failure::Context {
        step: ContextStep::Open,
        message: clip_text(error.to_string()),
    })
}

/// Why a bee could not be made.
#[must_use]
pub fn not_made<E: Display>(error: &E) -> String {
    format!("{error:#}")
}

/// A bee without `new`.
#[diagnostic::on_unimplemented(
    message = "nothing says how to make a `{Self}`",
    label = "this has neither `fn new` in the block nor `Default`",
    note = "write `fn new(…) -> Self` in this `impl` block, or implement `Default` for `{Self}`"
)]
pub trait MadeOfNothing: Default {}

#[diagnostic::do_not_recommend]
impl<B: Default> MadeOfNothing for B {}

/// Makes a bee that needs nothing.
#[must_use]
pub fn made_of_nothing<B: MadeOfNothing>() -> B {
    B::default()
}

/// A worker bee that is made of nothing.
#[diagnostic::on_unimplemented(
    message = "nothing says how the hive of `{Self}`s is to be",
    label = "this is not made of `()`",
    note = "write `fn hive(&self) -> BeehiveRun<{Self}>` in this `impl` block, for example \
            `hive_of::<{Self}>(…).processes(…)`"
)]
pub trait OfNothing: WorkerBee<Init = ()> {}

#[diagnostic::do_not_recommend]
impl<W: WorkerBee<Init = ()>> OfNothing for W {}

/// A bee's own hive that has no description.
pub fn hive_of_nothing<W: OfNothing>() -> BeehiveRun<W> {
    hive_of::<W>(())
}

/// [`Wire`], in words about bees.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't cross between the queen and a worker bee",
    label = "this must be `Serialize + Deserialize + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for `{Self}`, or pass something that has them (a path, an id)",
    note = "what can't be sent at all (a connection, a client) a worker bee makes in `new` and keeps"
)]
pub trait Crosses: Wire {}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + serde::de::DeserializeOwned + Send + 'static> Crosses for T {}

/// Compiles only if `T` can cross.
#[must_use]
pub const fn crosses<T: Crosses>() -> bool {
    true
}
