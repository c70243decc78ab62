//! Arguments from JSON, and values as JSON.

use mt_pool::Wire;
use mt_proto::{DecodeError, EncodeError, decode_checked, encode_checked, guarded};
use serde_json::Value;

/// How a task's arguments are made of JSON, and its value is told as JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonTypes {
    /// At most so many bytes of them.
    pub(crate) args: fn(Value, usize) -> Result<Vec<u8>, EncodeError>,
    pub(crate) value: fn(&[u8]) -> Result<Value, DecodeError>,
}

impl JsonTypes {
    pub(crate) const fn of<A: Wire, V: Wire>() -> Self {
        Self {
            args: |args, limit| {
                guarded(|| {
                    let args: A = serde_json::from_value(args).map_err(|why| refused(&why))?;
                    encode_checked(&args, limit)
                })?
            },
            value: |value| {
                guarded(|| {
                    let value: V = decode_checked(value)?;
                    serde_json::to_value(value)
                        .map_err(|why| DecodeError::Value(why.to_string().into()))
                })?
            },
        }
    }
}

fn refused(why: &serde_json::Error) -> EncodeError {
    EncodeError::Value(why.to_string().into())
}

/// Of a bee that has not written down what her tasks take.
pub(crate) fn untyped() -> EncodeError {
    EncodeError::Value(
        "the bee was written by hand, and the types of tasks are known only of bees of the macro"
            .into(),
    )
}
