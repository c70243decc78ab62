//! Files without a name, by their descriptors, and the memory that they are mapped to.
#![expect(unsafe_code, reason = "mapping memory")]

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::FileExt,
    },
    ptr::{self, NonNull},
};

use rustix::{
    fs::{FileType, Stat, fstat},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

use super::limits::files_may_have;

/// A file of this process.
pub(crate) type OwnedFile = OwnedFd;
/// The same, lent.
pub(crate) type FileRef<'a> = BorrowedFd<'a>;

pub(crate) fn as_file(file: &OwnedFile) -> FileRef<'_> {
    file.as_fd()
}

/// How many bytes what was received has, as far as it is a file; 0 of anything else.
pub(crate) fn file_bytes(file: FileRef<'_>) -> u64 {
    match fstat(file) {
        Ok(found) if is_file(&found) => found.st_size.try_into().unwrap_or(0),
        Ok(_) | Err(_) => 0,
    }
}

pub(super) fn is_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
}

/// Reads bytes of a file from its start.
pub(crate) fn read_file_at(file: FileRef<'_>, into: &mut [u8]) -> io::Result<()> {
    File::from(file.try_clone_to_owned()?).read_exact_at(into, 0)
}

/// Writes bytes to the start of a file.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) fn write_file(file: &OwnedFile, bytes: &[u8]) -> io::Result<()> {
    File::from(file.try_clone()?).write_all_at(bytes, 0)
}

/// The system tells sizes in bytes.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) const FILE_GRAIN: u64 = 1;

/// Maps the first bytes of a file, at least one, for reading, or for writing too. The file has so many, for as long as it is
/// mapped: the caller knows.
pub(crate) fn map_file(file: FileRef<'_>, len: usize, writable: bool) -> io::Result<NonNull<u8>> {
    let access = match writable {
        true => ProtFlags::READ | ProtFlags::WRITE,
        false => ProtFlags::READ,
    };
    // SAFETY: a null hint lets the kernel choose unused addresses, so no memory of ours is replaced. Callers
    // know that the file is as long as that and stays so, so access can't fault.
    let address = unsafe { mmap(ptr::null_mut(), len, access, MapFlags::SHARED, file, 0) }?;
    NonNull::new(address.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Ends a mapping. A failure leaks it and can't be mended here.
///
/// # Safety
/// [`map_file`] has made it, of this length, and no reference into it is left.
pub(crate) unsafe fn unmap(start: NonNull<u8>, len: usize) {
    // SAFETY: the caller knows.
    let _ = unsafe { munmap(start.as_ptr().cast(), len) };
}

/// A file of so many zeros, without a name, that stays as long as it is.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(crate) fn shared_file(shown: &str, bytes: usize) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
    let fd = memfd_create(shown, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    files_may_have(bytes as u64)?;
    ftruncate(&fd, bytes as u64)?;
    // A worker could otherwise shorten the file and make the parent fault.
    fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(fd)
}

/// The same where the system has no files in memory.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) fn shared_file(_: &str, bytes: usize) -> io::Result<OwnedFd> {
    let file = tempfile::tempfile()?;
    files_may_have(bytes as u64)?;
    file.set_len(bytes as u64)?;
    Ok(file.into())
}
