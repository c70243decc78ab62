//! The handles of this process.
#![expect(unsafe_code, reason = "handles that belong to somebody else")]

use std::{mem::MaybeUninit, path::PathBuf, ptr};

use windows_sys::Win32::Foundation::{CloseHandle, GetHandleInformation, HANDLE};

/// Numbers of handles are multiples of four, and the system gives out low ones first.
const STEP: usize = 4;
/// How many numbers in a row without a handle are behind the last one.
const NONE_MORE: usize = 256;

#[link(name = "ntdll")]
// SAFETY: this is the declaration of the system's library.
unsafe extern "system" {
    fn NtQueryObject(
        handle: HANDLE,
        what: u32,
        told: *mut std::ffi::c_void,
        length: u32,
        returned: *mut u32,
    ) -> i32;
}

const TYPE: u32 = 2;

/// The open handles of this process, and the kinds of objects that they are of.
#[must_use]
pub fn descriptors() -> Vec<(i32, PathBuf)> {
    let mut found = Vec::new();
    let (mut number, mut gap) = (STEP, 0);
    while gap < NONE_MORE {
        let handle = ptr::without_provenance_mut(number);
        let mut flags = 0;
        // SAFETY: a number that is no handle's is an error, and nothing else.
        if unsafe { GetHandleInformation(handle, &raw mut flags) } != 0 {
            let kind = kind_of(handle).unwrap_or_default();
            found.push((number as i32, PathBuf::from(kind)));
            gap = 0;
        } else {
            gap += 1;
        }
        number += STEP;
    }
    found
}

fn kind_of(handle: HANDLE) -> Option<String> {
    let mut told = [MaybeUninit::<u64>::uninit(); 128];
    let mut length = 0;
    // SAFETY: there is room for so many bytes, at a place that fits a structure with pointers.
    let status = unsafe {
        NtQueryObject(
            handle,
            TYPE,
            told.as_mut_ptr().cast(),
            size_of_val(&told) as u32,
            &raw mut length,
        )
    };
    if status < 0 {
        return None;
    }
    // SAFETY: what is told begins with a text: its bytes, how many there may be, and where it is, in the same memory.
    let text = unsafe {
        let bytes = told.as_ptr().cast::<u16>().read();
        let place = told.as_ptr().cast::<*const u16>().add(1).read();
        std::slice::from_raw_parts(place, usize::from(bytes) / 2)
    };
    Some(String::from_utf16_lossy(text))
}

/// How many handles of this process are of memory that it shares.
#[must_use]
pub fn blob_descriptors() -> usize {
    let all = descriptors().into_iter();
    all.filter(|(_, kind)| kind.as_os_str() == "Section")
        .count()
}

/// Ends every connection of this process.
pub fn shut_sockets() {
    for (number, kind) in descriptors() {
        if kind.as_os_str() == "File" && ![0, 1, 2].contains(&number) {
            // SAFETY: none for the owner, whose next call fails: that is the point.
            unsafe { CloseHandle(ptr::without_provenance_mut(number as usize)) };
        }
    }
}
