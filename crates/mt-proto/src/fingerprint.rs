//! What a build is: the protocol version, and the tasks it has, with their types, as one number.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use crate::{DecodeError, decode_strict, encode::take_from_bytes};

/// The version of everything in this crate that crosses the wire.
pub const PROTOCOL_VERSION: u16 = 4;

/// Tells two builds apart that would misunderstand each other.
///
/// A fingerprint covers the protocol version and the name and type names of every registered task, so a worker
/// of another build is refused at the handshake instead of decoding nonsense later. It is no
/// signature: a worker is the user's own program, not an adversary, at this point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of a build with these task signatures, in any order.
    pub fn of<S: AsRef<str>>(signatures: impl IntoIterator<Item = S>) -> Self {
        let mut all: Vec<S> = signatures.into_iter().collect();
        all.sort_by(|a, b| a.as_ref().cmp(b.as_ref()));
        // Fixed keys: the same program gets the same number in every process.
        let mut hasher = DefaultHasher::new();
        PROTOCOL_VERSION.hash(&mut hasher);
        for signature in &all {
            signature.as_ref().hash(&mut hasher);
        }
        Self(hasher.finish())
    }
}

/// What a side of a connection was built from: a worker's first word, and the answer to one that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The [`PROTOCOL_VERSION`]. First, so that any version can read it.
    pub version: u16,
    /// The tasks that are registered; of another version whatever stands in their place.
    pub fingerprint: Fingerprint,
}

impl Build {
    /// The build in a frame's body. Of another version only that is known: what follows may be anything.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, DecodeError> {
        let (version, rest) = take_from_bytes(body)?;
        if version == PROTOCOL_VERSION {
            return decode_strict(body);
        }
        let fingerprint = take_from_bytes(rest).map_or(Fingerprint(0), |(it, _)| it);
        Ok(Self {
            version,
            fingerprint,
        })
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            fingerprint: Fingerprint(tasks),
        } = self;
        write!(f, "protocol {version} and tasks {tasks:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_of_another_version_is_read_whatever_follows() {
        let read = |body: &[u8]| Build::from_body(body).map(|build| build.version);
        for rest in [&[][..], &[7], &[7, 1, 2, 3], &[0xff; 20]] {
            assert_eq!(read(&[&[1], rest].concat()), Ok(1), "{rest:?}");
        }
        let [ours, fingerprint] = [PROTOCOL_VERSION as u8, 7];
        assert_eq!(read(&[ours, fingerprint]), Ok(PROTOCOL_VERSION));
        for broken in [&[][..], &[ours], &[ours, fingerprint, 0]] {
            assert!(read(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn order_does_not_count_but_content_does() {
        let ab = Fingerprint::of(["a: u8", "b: u8"]);
        assert_eq!(ab, Fingerprint::of(["b: u8", "a: u8"]));
        assert_ne!(ab, Fingerprint::of(["a: u8", "b: u16"]));
        assert_ne!(ab, Fingerprint::of(["a: u8"]));
        assert_ne!(Fingerprint::of(["a", "bc"]), Fingerprint::of(["ab", "c"]));
    }
}
