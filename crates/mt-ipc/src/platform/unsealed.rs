//! Files without a name whose bytes are handed to another process, where there are no seals. Whoever has such a file could
//! change or shorten it, so nobody maps it: its bytes are read into memory of the receiver's.

use std::io;

use super::{
    Finished, Memory, WritableMemory,
    system::{self, FILE_GRAIN, FileRef, OwnedFile, file_bytes},
};

/// Bytes that are being written, to memory: a file is made when they are sent.
#[derive(Debug)]
pub(crate) struct FileDraft(Vec<u8>);

impl FileDraft {
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

/// A new file of these bytes, to be sent.
pub(crate) fn file_of(bytes: &[u8]) -> io::Result<OwnedFile> {
    let file = system::shared_file("mt-blob", bytes.len().max(1))?;
    system::write_file(&file, bytes)?;
    Ok(file)
}

/// The bytes of a file that another process has sent and says has `len` of them.
///
/// # Errors
/// [`InvalidData`](io::ErrorKind::InvalidData): it has another length.
pub(crate) fn received(file: FileRef<'_>, len: usize) -> io::Result<Memory> {
    if file_bytes(file) != (len.max(1) as u64).next_multiple_of(FILE_GRAIN) {
        let why = "what came is no file of the length that is said";
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let mut memory = WritableMemory::zeroed(len)?;
    system::read_file_at(file, &mut memory)?;
    Ok(memory.freeze())
}
