//! An error that is told as text.

use std::collections::BTreeMap;

use mt_proto::RaisedException;
use serde::{Deserialize, Serialize};

/// The detail of a panic that says where it was.
const PLACE: &str = "location";

/// An error that crossed as text, or a panic. Shown as what it says, with the place of a panic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{exception}{}", place(other_details))]
#[non_exhaustive]
pub struct Exception {
    /// What it says: at most 16 KiB.
    pub exception: String,
    /// The call stack, one line each, without what is not the user's (the worker bee's process has the
    /// environment variable `RUST_BACKTRACE`: with `full` it is whole, with `0` there is none). Empty unless it
    /// was a panic.
    pub traceback: Vec<String>,
    /// What else there is to say: the error's `type`, the `location` of a panic.
    pub other_details: BTreeMap<String, String>,
}

impl Exception {
    pub(crate) fn panicked(message: String, location: Option<String>, backtrace: &str) -> Self {
        let details = location.map(|at| (PLACE.to_owned(), at));
        Self {
            exception: message,
            traceback: backtrace.lines().map(str::to_owned).collect(),
            other_details: details.into_iter().collect(),
        }
    }
}

impl From<RaisedException> for Exception {
    fn from(raised: RaisedException) -> Self {
        Self {
            exception: raised.exception,
            traceback: Vec::new(),
            other_details: BTreeMap::from([("type".to_owned(), raised.type_name)]),
        }
    }
}

/// To be put behind what a panic says.
fn place(details: &BTreeMap<String, String>) -> String {
    let place = details.get(PLACE).map(|place| format!(" (at {place})"));
    place.unwrap_or_default()
}
