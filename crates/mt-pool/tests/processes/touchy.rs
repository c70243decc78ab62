//! Values that panic in the parent, with a payload whose own drop panics once more.

use std::panic::{panic_any, set_hook};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::prelude::*;

/// Runs a test in a process of its own, which shows only the panics that are the test's.
pub(crate) fn unshown<F: FnOnce()>(test: F) {
    alone_as(mt_test_kit::name_of::<F>(), || {
        set_hook(Box::new(|info| {
            if info.payload_as_str().is_some() {
                eprintln!("{info}");
            }
        }));
        test();
    });
}

/// A payload that panics when it is dropped, with another of its kind.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic_any(Payload);
    }
}

pub(crate) fn burst() -> ! {
    panic_any(Payload)
}

/// When a value bursts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum At {
    Never,
    Sent,
    Dropped,
    /// When it is sent, and when it is dropped.
    Both,
    Read,
}

pub(crate) use At::{Both, Dropped, Never, Read, Sent};

/// A value of the parent's that bursts there, and no longer when it has crossed.
#[derive(Debug, Clone)]
pub(crate) struct Touchy {
    pub(crate) at: At,
    pub(crate) crossed: bool,
}

pub(crate) fn touchy(at: At) -> Touchy {
    let crossed = false;
    Touchy { at, crossed }
}

impl Serialize for Touchy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if [Sent, Both].contains(&self.at) {
            burst();
        }
        self.at.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, crossed) = (At::deserialize(deserializer)?, true);
        Ok(Self { at, crossed })
    }
}

impl Drop for Touchy {
    fn drop(&mut self) {
        if !self.crossed && [Dropped, Both].contains(&self.at) {
            burst();
        }
    }
}

/// A value of a worker's that bursts in the parent: when it is read there, or dropped.
#[derive(Debug, Serialize)]
pub(crate) struct Returned {
    pub(crate) at: At,
    crossed: bool,
}

impl<'de> Deserialize<'de> for Returned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Sent {
            at: At,
            #[serde(rename = "crossed")]
            _crossed: bool,
        }
        let Sent { at, .. } = Sent::deserialize(deserializer)?;
        match at {
            Read => burst(),
            at => Ok(Self { at, crossed: true }),
        }
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        if self.crossed && self.at == Dropped {
            burst();
        }
    }
}

pub(crate) fn returned(at: At) -> Returned {
    let crossed = false;
    Returned { at, crossed }
}
