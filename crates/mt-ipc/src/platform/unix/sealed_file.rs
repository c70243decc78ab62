//! Files without a name whose bytes nobody can change any more, to be handed to another process.
//!
//! Where the system has no seals the file is only a way for bytes to travel: who receives it reads it.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod sealed;
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
use sealed::{self as system, SealedDraft as Draft};

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
mod unsealed;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
use unsealed::{self as system, MemoryDraft as Draft};

use super::Memory;

/// Bytes that are being written, in a file if that is how they will be handed on.
pub(crate) type FileDraft = Draft;

/// A new file of these bytes, to be sent.
pub(crate) fn file_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    system::file_of(bytes)
}

/// The bytes of a file that another process has sent and says has `len` of them.
///
/// # Errors
/// [`InvalidData`](io::ErrorKind::InvalidData): it is no file that nobody can change, or has another length.
pub(crate) fn received(file: BorrowedFd<'_>, len: usize) -> io::Result<Memory> {
    system::received(file, len)
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
