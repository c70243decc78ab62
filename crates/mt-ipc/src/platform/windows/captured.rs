//! The pipe and the memory that a worker's standard output is captured by.

use std::{
    io,
    os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle},
    process::Command,
};

use super::{
    super::WritableMemory,
    files::{FileRef, OwnedFile, as_file, shared_file},
    overlapped,
    pipe::{Ways, pair},
};

/// What both sides have of a captured standard output: the end that is read from, which is never waited for, and memory
/// that outlives the worker.
#[derive(Debug)]
pub(crate) struct CapturedFiles {
    pub(crate) pipe: OwnedHandle,
    pub(crate) file: OwnedFile,
}

impl CapturedFiles {
    /// Has a command write into a new pipe, and makes memory of so many bytes.
    pub(crate) fn new(command: &mut Command, bytes: usize) -> io::Result<Self> {
        let (ours, theirs) = pair(Ways::Inbound)?;
        command.stdout(theirs);
        Ok(Self {
            pipe: ours,
            file: shared_file("mt-stdout", bytes)?,
        })
    }

    pub(super) fn as_handles(&self) -> [BorrowedHandle<'_>; 2] {
        [self.pipe.as_handle(), self.file.as_handle()]
    }

    /// Worker: the memory, so many bytes, which this process alone writes to, and nobody else reads as long as it lives.
    pub(crate) fn map(&self, bytes: usize) -> io::Result<WritableMemory> {
        let file: FileRef<'_> = as_file(&self.file);
        WritableMemory::map(file, bytes)
    }

    /// Reads what is in the pipe without waiting, at least a byte; `None` when there is nothing, or nobody has the other
    /// end.
    pub(crate) fn read_now(&self, into: &mut [u8]) -> Option<usize> {
        let pipe = self.pipe.as_handle();
        let there = overlapped::unread(pipe).ok().filter(|&there| there > 0)?;
        let room = there.min(into.len());
        overlapped::read(pipe, &mut into[..room])
            .ok()
            .filter(|&read| read > 0)
    }

    /// Waits until there is something in the pipe; false when nobody has the other end.
    pub(crate) fn wait(&self) -> bool {
        overlapped::read(self.pipe.as_handle(), &mut []).is_ok()
    }
}
