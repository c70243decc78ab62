//! Arguments from JSON, and values as JSON.

use std::any::type_name;

use mt_pool::{Json, Wire};
use mt_proto::{DecodeError, Kept, MAX_NESTING, decode_guarded, encode_guarded, guarded};
use serde_json::Value;

use crate::error::CrossingProblem;

/// How a task's arguments are made of JSON, and its value is told as JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonTypes {
    /// At most so many bytes of them.
    pub(crate) args: fn(Value, usize) -> Result<Vec<u8>, CrossingProblem>,
    pub(crate) value: fn(&[u8]) -> Result<Value, DecodeError>,
}

impl JsonTypes {
    pub(crate) const fn of<A: Wire, V: Wire>() -> Self {
        Self {
            args: |args, limit| {
                let args = Kept::new(read::<A>(args)?);
                Ok(encode_guarded(&*args, limit)?)
            },
            value: |value| {
                let value = Kept::new(decode_guarded::<V>(value)?);
                let told = guarded(|| Json(&*value).to_value())?;
                told.map_err(|why| DecodeError::Value(why.to_string().into()))
            },
        }
    }
}

/// The arguments that a task takes.
fn read<A: Wire>(args: Value) -> Result<A, CrossingProblem> {
    let refused = |why: String| {
        let message = format!("{}: {why}", type_name::<A>());
        CrossingProblem::undecodable(message)
    };
    if nests_too_deep(&args) {
        take_apart(args);
        return Err(refused(format!(
            "the JSON nests too deep: more than {MAX_NESTING} arrays and objects within each other"
        )));
    }
    match guarded(|| serde_json::from_value(args)) {
        Ok(read) => read.map_err(|why| refused(why.to_string())),
        Err(panic) => Err(refused(DecodeError::from(panic).to_string())),
    }
}

/// Looked at level by level, because whatever reads it goes down as deep as it nests.
fn nests_too_deep(value: &Value) -> bool {
    let is_container = |value: &&Value| value.is_array() || value.is_object();
    let mut level: Vec<&Value> = Some(value).into_iter().filter(is_container).collect();
    for _ in 0..MAX_NESTING {
        let below = level.iter().flat_map(|value| {
            let items = value.as_array().into_iter().flatten();
            let fields = value
                .as_object()
                .into_iter()
                .flat_map(serde_json::Map::values);
            items.chain(fields).filter(is_container)
        });
        level = below.collect();
        if level.is_empty() {
            return false;
        }
    }
    true
}

/// Drops it without going down.
fn take_apart(value: Value) {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(fields) => left.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

/// Of a bee that has not written down what her tasks take.
pub(crate) fn untyped() -> CrossingProblem {
    CrossingProblem::Unserialisable {
        message: "the bee was written by hand, and the types of tasks are known only of bees of the macro".into(),
    }
}
