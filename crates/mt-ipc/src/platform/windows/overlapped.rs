//! Reading from and writing to a pipe by the current thread, before a runtime has it or beside one.
#![expect(
    unsafe_code,
    reason = "calls of the system that go on after they return"
)]

use std::{
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, OwnedHandle},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{ERROR_IO_PENDING, HANDLE},
    Storage::FileSystem::{ReadFile, WriteFile},
    System::{
        IO::{GetOverlappedResult, OVERLAPPED},
        Pipes::PeekNamedPipe,
        Threading::CreateEventW,
    },
};

use super::handles::{checked, owned};

/// Reads at least a byte, waiting for it; 0 at the end.
pub(super) fn read(pipe: BorrowedHandle<'_>, into: &mut [u8]) -> io::Result<usize> {
    let room = u32::try_from(into.len()).unwrap_or(u32::MAX);
    wait(pipe, |pipe, overlapped| {
        // SAFETY: there is room for so many bytes, until the call is over, which is waited for.
        unsafe { ReadFile(pipe, into.as_mut_ptr(), room, ptr::null_mut(), overlapped) }
    })
}

/// Writes all bytes, waiting for room.
pub(super) fn write_all(pipe: BorrowedHandle<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let some = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let written = wait(pipe, |pipe, overlapped| {
            // SAFETY: so many bytes are there, until the call is over, which is waited for.
            unsafe { WriteFile(pipe, bytes.as_ptr(), some, ptr::null_mut(), overlapped) }
        })?;
        bytes = &bytes[written..];
    }
    Ok(())
}

fn wait(
    pipe: BorrowedHandle<'_>,
    begin: impl FnOnce(HANDLE, *mut OVERLAPPED) -> i32,
) -> io::Result<usize> {
    // SAFETY: it has no name and no attributes; the handle is new, and this process's alone.
    let event: OwnedHandle = unsafe { owned(CreateEventW(ptr::null(), 1, 0, ptr::null())) }?;
    let mut overlapped = OVERLAPPED {
        // The lowest bit keeps the end of this call from a runtime that the pipe may belong to.
        hEvent: (event.as_raw_handle() as usize | 1) as HANDLE,
        ..OVERLAPPED::default()
    };
    let pipe = pipe.as_raw_handle();
    if begin(pipe, &raw mut overlapped) == 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(ERROR_IO_PENDING.cast_signed()) {
            return Err(error);
        }
    }
    let mut moved = 0;
    // SAFETY: the call that was begun with it is waited for, whatever it comes to.
    checked(unsafe { GetOverlappedResult(pipe, &raw const overlapped, &raw mut moved, 1) })?;
    Ok(moved as usize)
}

/// How many bytes are in a pipe that nobody has read; none where nobody has its other end any more.
pub(super) fn unread(pipe: BorrowedHandle<'_>) -> io::Result<usize> {
    let mut bytes = 0;
    // SAFETY: only the count is asked for, and written into memory that is ours.
    checked(unsafe {
        PeekNamedPipe(
            pipe.as_raw_handle(),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            &raw mut bytes,
            ptr::null_mut(),
        )
    })?;
    Ok(bytes as usize)
}
