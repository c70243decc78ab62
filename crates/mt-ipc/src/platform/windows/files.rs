//! Memory that two processes have: sections of the page file, without a name, by their handles.
#![expect(unsafe_code, reason = "mapping memory")]

use std::{
    io,
    mem::MaybeUninit,
    os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle},
    ptr::{self, NonNull},
    slice,
};

use windows_sys::Win32::{
    Foundation::INVALID_HANDLE_VALUE,
    System::Memory::{
        CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_BASIC_INFORMATION,
        MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READWRITE, UnmapViewOfFile, VirtualQuery,
    },
};

use super::handles::owned;

/// A section of this process.
pub(crate) type OwnedFile = OwnedHandle;
/// The same, lent.
pub(crate) type FileRef<'a> = BorrowedHandle<'a>;

/// The system tells sizes in pages.
pub(crate) const FILE_GRAIN: u64 = 4096;

pub(crate) fn as_file(file: &OwnedFile) -> FileRef<'_> {
    file.as_handle()
}

/// Memory of so many zeros, without a name, that stays as long as it is. It can't be shortened.
pub(crate) fn shared_file(_shown: &str, bytes: usize) -> io::Result<OwnedFile> {
    let bytes = bytes as u64;
    // SAFETY: no name and no attributes are asked for; the handle is new, and this process's alone.
    unsafe {
        owned(CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            ptr::null(),
            PAGE_READWRITE,
            (bytes >> 32) as u32,
            bytes as u32,
            ptr::null(),
        ))
    }
}

/// How many bytes a section has, in whole pages; 0 of anything else.
pub(crate) fn file_bytes(file: FileRef<'_>) -> u64 {
    let Ok(view) = view(file, 0, false) else {
        return 0;
    };
    let mut found = MaybeUninit::<MEMORY_BASIC_INFORMATION>::uninit();
    let room = size_of::<MEMORY_BASIC_INFORMATION>();
    // SAFETY: the view is there, and what is told is written into memory that is ours.
    let told = unsafe { VirtualQuery(view.as_ptr().cast(), found.as_mut_ptr(), room) };
    // SAFETY: the system has written it.
    let bytes = (told == room).then(|| unsafe { found.assume_init() }.RegionSize as u64);
    // SAFETY: it was made above, and no reference into it was made.
    unsafe { unmap(view, 0) };
    bytes.unwrap_or(0)
}

/// Reads bytes of a section from its start.
pub(crate) fn read_file_at(file: FileRef<'_>, into: &mut [u8]) -> io::Result<()> {
    if into.is_empty() {
        return Ok(());
    }
    let view = map_file(file, into.len(), false)?;
    // SAFETY: so many bytes are mapped. Whoever else has the section may write meanwhile; any bytes are bytes, and they are
    // only copied.
    unsafe { ptr::copy_nonoverlapping(view.as_ptr(), into.as_mut_ptr(), into.len()) };
    // SAFETY: it was made above, and no reference into it is left.
    unsafe { unmap(view, into.len()) };
    Ok(())
}

/// Maps the first bytes of a section, at least one, for reading, or for writing too. It is as long as it was made.
pub(crate) fn map_file(file: FileRef<'_>, len: usize, writable: bool) -> io::Result<NonNull<u8>> {
    view(file, len, writable)
}

fn view(file: FileRef<'_>, len: usize, writable: bool) -> io::Result<NonNull<u8>> {
    let access = match writable {
        true => FILE_MAP_READ | FILE_MAP_WRITE,
        false => FILE_MAP_READ,
    };
    // SAFETY: the system chooses unused addresses, so no memory of ours is replaced, and refuses more than there is.
    let view = unsafe { MapViewOfFile(file.as_raw_handle(), access, 0, 0, len) };
    NonNull::new(view.Value.cast()).ok_or_else(io::Error::last_os_error)
}

/// Ends a mapping. A failure leaks it and can't be mended here.
///
/// # Safety
/// [`map_file`] has made it, and no reference into it is left.
pub(crate) unsafe fn unmap(start: NonNull<u8>, _len: usize) {
    let start = MEMORY_MAPPED_VIEW_ADDRESS {
        Value: start.as_ptr().cast(),
    };
    // SAFETY: the caller knows.
    let _ = unsafe { UnmapViewOfFile(start) };
}

/// Copies bytes into a section.
pub(crate) fn write_file(file: &OwnedFile, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let view = map_file(file.as_handle(), bytes.len(), true)?;
    // SAFETY: so many bytes are mapped for writing, and nobody else has the section yet.
    unsafe { slice::from_raw_parts_mut(view.as_ptr(), bytes.len()) }.copy_from_slice(bytes);
    // SAFETY: it was made above, and no reference into it is left.
    unsafe { unmap(view, bytes.len()) };
    Ok(())
}
