//! Values that cross to another process badly.

use serde::{Deserialize, Serialize};

/// Not always written as it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skipping {
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<u8>,
    b: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<u8>,
}

/// The first field is left out where it is written.
pub const LEFT_OUT: Skipping = Skipping {
    a: None,
    b: 0,
    c: Some(0),
};

/// One that is written as it is read.
pub const WHOLE: Skipping = Skipping {
    a: Some(1),
    b: 0,
    c: Some(0),
};

/// A value that nests.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deep(pub Vec<Deep>);

impl Deep {
    /// So many within each other.
    #[must_use]
    pub fn of(levels: usize) -> Self {
        (0..levels).fold(Self::default(), |below, _| Self(vec![below]))
    }
}

/// Needs no stack.
impl Drop for Deep {
    fn drop(&mut self) {
        let mut below = std::mem::take(&mut self.0);
        while let Some(mut next) = below.pop() {
            below.append(&mut next.0);
        }
    }
}
