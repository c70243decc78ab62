//! Files without a name whose bytes nobody can change any more, to be handed to another process.

use std::{
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::fs::{
    MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};

use super::{Finished, Memory, WritableMemory, files::is_file, limits::files_may_have};

/// What nobody may do to a file any more.
const SEALS: SealFlags = SealFlags::SHRINK
    .union(SealFlags::GROW)
    .union(SealFlags::WRITE);

/// A file that is being written. Nobody else has it.
#[derive(Debug)]
pub(crate) struct FileDraft {
    file: std::fs::File,
    len: usize,
}

impl FileDraft {
    /// An empty one, to be [written](Self::write_all) to.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("mt-blob", flags)?.into();
        Ok(Self { file, len: 0 })
    }

    /// Makes a file of `len` bytes, which are written in place: zeros at first.
    pub(crate) fn filled(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<Finished> {
        let draft = Self {
            len,
            ..Self::new()?
        };
        files_may_have(len as u64)?;
        ftruncate(&draft.file, len as u64)?;
        let mut memory = WritableMemory::map(draft.file.as_fd(), len)?;
        fill(&mut memory)?;
        // No file can be sealed as long as somebody may write to its memory.
        drop(memory);
        draft.finish()
    }

    /// Makes a file of these bytes. Written pages need not be zeroed before, nor is there a fault for each.
    pub(crate) fn copy_of(bytes: &[u8]) -> io::Result<Finished> {
        let mut draft = Self::new()?;
        draft.write_all(bytes)?;
        draft.finish()
    }

    /// Appends bytes.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        files_may_have((self.len + bytes.len()) as u64)?;
        self.file.write_all(bytes)?;
        self.len += bytes.len();
        Ok(())
    }

    /// Nothing is written any more, by nobody.
    pub(crate) fn finish(self) -> io::Result<Finished> {
        fcntl_add_seals(&self.file, SEALS | SealFlags::SEAL)?;
        Ok(Finished {
            memory: Memory::map(self.file.as_fd(), self.len)?,
            file: Some(self.file.into()),
        })
    }
}

/// A new file of these bytes, to be sent.
pub(crate) fn file_of(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut draft = FileDraft::new()?;
    draft.write_all(bytes)?;
    fcntl_add_seals(&draft.file, SEALS | SealFlags::SEAL)?;
    Ok(draft.file.into())
}

/// The bytes of a file that another process has sent and says has `len` of them.
///
/// # Errors
/// [`InvalidData`](io::ErrorKind::InvalidData): it is no file that nobody can change, or has another length.
pub(crate) fn received(file: BorrowedFd<'_>, len: usize) -> io::Result<Memory> {
    let found = fstat(file)?;
    // A file of huge pages may lack one when it is read, which is a signal that ends this process.
    if !is_file(&found) || !has_small_pages(file)? {
        return Err(refused("what came is no file in memory"));
    }
    if !fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SEALS)) {
        return Err(refused("the file that came can still be changed"));
    }
    if found.st_size as u64 != len as u64 {
        return Err(refused(
            "the file that came has another length than is said of it",
        ));
    }
    Memory::map(file, len)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_small_pages(file: BorrowedFd<'_>) -> io::Result<bool> {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    let system = rustix::fs::fstatfs(file)?.f_type as u64;
    Ok(matches!(system & 0xffff_ffff, TMPFS | RAMFS))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_small_pages(_: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(true)
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
