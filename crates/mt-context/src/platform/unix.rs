//! Names of files on Unix.

use std::{fs::File, io, os::unix::fs::MetadataExt, path::Path};

/// Whether a name is still this file's.
pub(crate) fn is_still(path: &Path, file: &File) -> io::Result<bool> {
    let own = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
