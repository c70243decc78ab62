//! What is known of an object without its body.

use std::time::SystemTime;

use object_store::ObjectMeta;

use super::address::ObjectUrl;

/// What is known of an object without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// The object's address.
    pub url: String,
    /// How many bytes its body has.
    pub size_bytes: u64,
    /// When it was put.
    pub modified: SystemTime,
    /// The server's name for this body: another one when the object is replaced by another. `None` if it has none.
    pub etag: Option<String>,
}

impl ObjectInfo {
    /// Of an object that is where this address is.
    pub(super) fn of(place: &ObjectUrl, meta: ObjectMeta) -> Self {
        Self {
            url: place.with_key(meta.location.as_ref()).to_string(),
            size_bytes: meta.size,
            modified: meta.last_modified.into(),
            etag: meta.e_tag,
        }
    }
}
