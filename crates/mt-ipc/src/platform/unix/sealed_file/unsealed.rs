//! Temporary files without a name, where there are no seals. Whoever has such a file could change or shorten it, so
//! nobody maps it: its bytes are read into memory of the receiver's.

use std::{
    io::{self, Write},
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::fs::fstat;

use super::{
    super::{Finished, Memory, WritableMemory, files::is_file, limits::files_may_have},
    refused,
};

/// Bytes that are being written, to memory: a file is made when they are sent.
#[derive(Debug)]
pub(crate) struct MemoryDraft(Vec<u8>);

impl MemoryDraft {
    /// An empty one, to be [written](Self::write_all) to.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Vec::new()))
    }

    /// Makes memory of `len` bytes, which are written in place: zeros at first.
    pub(crate) fn filled(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<Finished> {
        let mut memory = WritableMemory::zeroed(len)?;
        fill(&mut memory)?;
        Ok(Finished {
            memory: memory.freeze(),
            file: None,
        })
    }

    /// Makes memory of these bytes.
    pub(crate) fn copy_of(bytes: &[u8]) -> io::Result<Finished> {
        Self::filled(bytes.len(), |memory| {
            memory.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// Appends bytes.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// Nothing is written any more.
    pub(crate) fn finish(self) -> io::Result<Finished> {
        Self::copy_of(&self.0)
    }
}

pub(super) fn file_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    files_may_have(bytes.len() as u64)?;
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    Ok(file.into())
}

pub(super) fn received(file: BorrowedFd<'_>, len: usize) -> io::Result<Memory> {
    let found = fstat(file)?;
    if !is_file(&found) || found.st_size as u64 != len as u64 {
        return Err(refused("what came is no file of the length that is said"));
    }
    let mut memory = WritableMemory::zeroed(len)?;
    let mut at = 0;
    while at < len {
        match rustix::io::pread(file, &mut memory[at..], at as u64)? {
            0 => return Err(refused("the file that came was shortened meanwhile")),
            read => at += read,
        }
    }
    Ok(memory.freeze())
}
