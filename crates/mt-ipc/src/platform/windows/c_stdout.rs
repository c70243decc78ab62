//! The buffer that C code prints into.
#![expect(unsafe_code, reason = "calling the C library about its own streams")]

use std::ffi::{c_int, c_void};

// SAFETY: this is the declaration of the C library.
unsafe extern "C" {
    fn fflush(stream: *mut c_void) -> c_int;
}

/// The C library of Windows knows no lines: what C code keeps is written when an item ends.
pub(crate) fn write_c_stdout_by_lines() {}

/// Writes what C code has printed and the C library still keeps, of all streams: there is no name for one that all its
/// versions have.
pub(crate) fn flush_c_stdout() {
    // SAFETY: without a stream all are meant, which the library locks itself.
    let _ = unsafe { fflush(std::ptr::null_mut()) };
}
