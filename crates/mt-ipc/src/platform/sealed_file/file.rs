//! What both ways to hand bytes on have in common.

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::fs::{FileType, Stat, fstat};

use super::super::Memory;

/// What a finished draft is: the bytes, and the file they are in if there is one to hand on.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) memory: Memory,
    pub(crate) file: Option<OwnedFd>,
}

/// How many bytes what was received has, as far as it is a file; 0 of anything else.
pub(crate) fn file_bytes(file: BorrowedFd<'_>) -> u64 {
    match fstat(file) {
        Ok(found) if is_file(&found) => found.st_size.try_into().unwrap_or(0),
        Ok(_) | Err(_) => 0,
    }
}

pub(super) fn is_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
}

pub(super) fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
