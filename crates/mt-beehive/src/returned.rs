//! What a bee's task returns, as whoever asked for it is told. For the macros; not for people.
//!
//! Which [`Way`] that goes is decided by the type, as for the pool's tasks, and by the same constants: see `returns`
//! of mt-pool.

use std::{any::type_name, fmt::Display};

use bytes::Bytes;
use mt_pool::Wire;
use mt_proto::{DecodeError, RaisedException, clip_text, decode_guarded, encode_checked};

use crate::{
    call::Unsuccessful,
    error::{CrossingProblem, Exception},
};

/// The way of what is no `Result`.
const PLAIN: u8 = 0;
/// The way of a `Result` whose error crosses as it is.
const TYPED: u8 = 1;
/// The way of a `Result` of whose error the text crosses.
const TEXT: u8 = 2;
/// The most bytes of an error once encoded: a longer one does not cross as it is.
const MAX_ERROR_BYTES: usize = 16 << 20;

/// A way that what a task returns becomes an outcome.
#[derive(Debug)]
pub struct Way<const HOW: u8>;

/// What a task that returns an `R` has as its value and its error.
pub trait Returned<R> {
    /// The value.
    type Value;
    /// The error, where the task is called.
    type Error;
    /// The error, where the task was asked for.
    type Raised;

    /// The outcome of a call that returned this; `describe` says what an error says.
    ///
    /// # Errors
    /// The error that it returned.
    fn outcome(
        returned: R,
        describe: impl FnOnce(&Self::Error) -> String,
    ) -> Result<Self::Value, Unsuccessful>;

    /// The error that crossed.
    ///
    /// # Errors
    /// The error is none such.
    fn read(error: RaisedException) -> Result<Self::Raised, CrossingProblem>;
}

/// Of what is no `Result`.
#[derive(Debug)]
pub enum NoError {}

impl<R> Returned<R> for Way<PLAIN> {
    type Value = R;
    type Error = NoError;
    type Raised = Exception;

    fn outcome(returned: R, _: impl FnOnce(&NoError) -> String) -> Result<R, Unsuccessful> {
        Ok(returned)
    }

    fn read(error: RaisedException) -> Result<Exception, CrossingProblem> {
        Ok(error.into())
    }
}

impl<T, E: Wire> Returned<Result<T, E>> for Way<TYPED> {
    type Value = T;
    type Error = E;
    type Raised = E;

    fn outcome(
        returned: Result<T, E>,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<T, Unsuccessful> {
        returned.map_err(|error| {
            // guarded: by the executor, in whose process this is.
            let value = encode_checked(&error, MAX_ERROR_BYTES).map(Bytes::from);
            let value = value.map_err(|why| why.to_string());
            raised::<E>(describe(&error), Some(value))
        })
    }

    fn read(error: RaisedException) -> Result<E, CrossingProblem> {
        typed(error)
    }
}

impl<T, E: Display> Returned<Result<T, E>> for Way<TEXT> {
    type Value = T;
    type Error = E;
    type Raised = Exception;

    fn outcome(
        returned: Result<T, E>,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<T, Unsuccessful> {
        returned.map_err(|error| raised::<E>(describe(&error), None))
    }

    fn read(error: RaisedException) -> Result<Exception, CrossingProblem> {
        Ok(error.into())
    }
}

fn raised<E>(text: String, value: Option<Result<Bytes, String>>) -> Unsuccessful {
    Unsuccessful::Raised(RaisedException {
        exception: clip_text(text),
        type_name: type_name::<E>().to_owned(),
        value,
    })
}

/// The error itself.
pub(crate) fn typed<E: Wire>(error: RaisedException) -> Result<E, CrossingProblem> {
    match error.value {
        Some(Ok(value)) => decode_guarded(&value)
            .map_err(|why| not_a::<E>(&why).between(&error.type_name, type_name::<E>())),
        Some(Err(why)) => Err(CrossingProblem::Unserialisable {
            message: format!("{why}; it says: {}", error.exception),
        }),
        None => Err(CrossingProblem::Unserialisable {
            message: format!(
                "of a `{}` only the text crosses: {}",
                error.type_name, error.exception
            ),
        }),
    }
}

pub(crate) fn not_a<T>(error: &DecodeError) -> CrossingProblem {
    let message = format!("{}: {error}", type_name::<T>());
    CrossingProblem::undecodable(message)
}
