//! Names of files elsewhere: a file that is open keeps its own.

use std::{fs::File, io, path::Path};

/// Whether a name is still this file's.
#[expect(clippy::unnecessary_wraps, reason = "on Unix it may fail")]
pub(crate) fn is_still(_path: &Path, _file: &File) -> io::Result<bool> {
    Ok(true)
}
