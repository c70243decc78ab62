//! Handles of the system's objects: owned ones, and copies of them, also for other processes.
#![expect(unsafe_code, reason = "calls of the system that take and give handles")]

use std::{
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
    ptr,
};

use windows_sys::Win32::{
    Foundation::{
        DUPLICATE_CLOSE_SOURCE, DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE,
        HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, SetHandleInformation,
    },
    System::Threading::GetCurrentProcess,
};

/// Takes over what a call has returned, or tells why it has returned nothing.
///
/// # Safety
/// The call has made the handle for this process, and nobody else has it.
pub(super) unsafe fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is one, and the caller's alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Whether a call that returns no zero where it succeeds has done so.
pub(super) fn checked(succeeded: i32) -> io::Result<()> {
    match succeeded {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The rights that a copy of a handle has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    Same,
    Only(u32),
}

/// Copies a handle of this process into another one. Returns its number there, where nobody knows it yet.
pub(super) fn give(
    to: BorrowedHandle<'_>,
    handle: BorrowedHandle<'_>,
    rights: Rights,
) -> io::Result<u64> {
    // SAFETY: the pseudo handle of this process needs no closing.
    let here = unsafe { GetCurrentProcess() };
    let copy = duplicate(here, handle.as_raw_handle(), to.as_raw_handle(), rights, 0)?;
    Ok(copy as u64)
}

/// The same for a process that has not run yet: what it starts has the copy too, by the same number, until somebody there
/// [keeps it](keep_here).
pub(super) fn give_with_all_below(
    to: BorrowedHandle<'_>,
    handle: BorrowedHandle<'_>,
    rights: Rights,
) -> io::Result<u64> {
    // SAFETY: the pseudo handle of this process needs no closing.
    let here = unsafe { GetCurrentProcess() };
    let (handle, to) = (handle.as_raw_handle(), to.as_raw_handle());
    Ok(duplicate(here, handle, to, rights, INHERITED)? as u64)
}

/// Keeps a handle from what this process starts.
pub(super) fn keep_here(handle: &OwnedHandle) -> io::Result<()> {
    // SAFETY: the handle is there.
    checked(unsafe { SetHandleInformation(handle.as_raw_handle(), HANDLE_FLAG_INHERIT, 0) })
}

/// Beside the options of the system: programs that are started inherit the copy.
const INHERITED: u32 = 1 << 31;

/// Takes a handle out of another process, in which it is closed.
pub(super) fn take(from: BorrowedHandle<'_>, number: u64) -> io::Result<OwnedHandle> {
    // SAFETY: the pseudo handle of this process needs no closing.
    let here = unsafe { GetCurrentProcess() };
    let theirs = number as usize as HANDLE;
    let taken = duplicate(
        from.as_raw_handle(),
        theirs,
        here,
        Rights::Same,
        DUPLICATE_CLOSE_SOURCE,
    )?;
    // SAFETY: the system has just made it for this process.
    unsafe { owned(taken) }
}

/// A handle of this process, to be taken out of it by another one: its number, which nobody else has.
pub(super) fn leave_for_another(handle: BorrowedHandle<'_>) -> io::Result<u64> {
    // SAFETY: the pseudo handle of this process needs no closing.
    let here = unsafe { GetCurrentProcess() };
    Ok(duplicate(here, handle.as_raw_handle(), here, Rights::Same, 0)? as u64)
}

/// Takes over a handle that another process has [given](give) to this one.
///
/// # Safety
/// The number is of a handle that was made for this process, and nobody has taken it over.
pub(super) unsafe fn given(number: u64) -> Option<OwnedHandle> {
    let handle = number as usize as HANDLE;
    // SAFETY: the caller knows.
    (number != 0).then(|| unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn duplicate(
    from: HANDLE,
    handle: HANDLE,
    to: HANDLE,
    rights: Rights,
    more: u32,
) -> io::Result<HANDLE> {
    let mut copy = ptr::null_mut();
    let (access, options) = match rights {
        Rights::Same => (0, DUPLICATE_SAME_ACCESS | more),
        Rights::Only(access) => (access, more),
    };
    let (options, is_inherited) = (options & !INHERITED, i32::from(options & INHERITED != 0));
    // SAFETY: a number that is no handle of that process is refused; the copy is written into memory that is ours.
    checked(unsafe {
        let copy = &raw mut copy;
        DuplicateHandle(from, handle, to, copy, access, is_inherited, options)
    })?;
    Ok(copy)
}

/// A handle that something owns, which keeps it open.
///
/// # Safety
/// The owner has it open as long as it is lent, or it is a pseudo handle, which is never closed.
pub(super) unsafe fn lent<T>(_owner: &T, handle: HANDLE) -> BorrowedHandle<'_> {
    // SAFETY: the caller knows.
    unsafe { BorrowedHandle::borrow_raw(handle) }
}
