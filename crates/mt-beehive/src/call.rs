//! A call of a bee's task. For the macros; not for people.

use std::pin::Pin;

use bytes::Bytes;
use mt_proto::{Failure, RaisedException, TaskStatus};

use crate::error::Part;

/// A call of a task that goes on: ends with what the task returned, encoded.
pub type TaskCall = Pin<Box<dyn Future<Output = Result<Bytes, Unsuccessful>>>>;

/// Why a call has no value.
#[derive(Debug)]
pub enum Unsuccessful {
    /// The task returned an error.
    Raised(RaisedException),
    /// The task was not called, or returned what can't be sent.
    Failed(Failure),
    /// The queen's task takes or returns something of another type.
    WrongType {
        /// What of it.
        part: Part,
        /// The type it was given.
        given: &'static str,
        /// The type that was expected.
        expected: &'static str,
    },
}

impl Unsuccessful {
    /// What a worker bee says of it.
    pub(crate) fn into_status(self) -> TaskStatus {
        TaskStatus::Failed(Box::new(match self {
            Self::Raised(error) => return TaskStatus::Raised(Box::new(error)),
            Self::Failed(failure) => failure,
            Self::WrongType { given, .. } => Failure::Undecodable {
                message: given.to_owned(),
            },
        }))
    }
}
