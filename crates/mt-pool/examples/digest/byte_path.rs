//! A path that crosses to another process as it is, also if it is no UTF-8.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A path as bytes. A `PathBuf` would cross only if it were UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BytePath(Bytes);

impl BytePath {
    pub(crate) fn new(path: impl AsRef<OsStr>) -> Self {
        Self(Bytes::copy_from_slice(&bytes_of(path.as_ref())))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn to_path(&self) -> PathBuf {
        path_of(&self.0)
    }

    /// The path for people: what is no UTF-8 shows as `�`.
    pub(crate) fn display(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The path, if it is UTF-8.
    pub(crate) fn as_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }
}

impl<P: AsRef<Path>> From<P> for BytePath {
    fn from(path: P) -> Self {
        Self::new(path.as_ref())
    }
}

#[cfg(unix)]
fn bytes_of(text: &OsStr) -> std::borrow::Cow<'_, [u8]> {
    use std::os::unix::ffi::OsStrExt;
    text.as_bytes().into()
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(bytes).into()
}

/// Elsewhere names are nearly always Unicode; one that is not can't be opened by what is left of it,
/// and is reported so.
#[cfg(not(unix))]
fn bytes_of(text: &OsStr) -> std::borrow::Cow<'_, [u8]> {
    text.to_string_lossy().into_owned().into_bytes().into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}
