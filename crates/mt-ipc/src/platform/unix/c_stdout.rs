//! The buffer that C code prints into.
#![expect(unsafe_code, reason = "calling the C library about its own stream")]

// SAFETY: this is the declaration of the C library, under the name that it has there.
unsafe extern "C" {
    #[cfg_attr(
        any(target_vendor = "apple", target_os = "freebsd"),
        link_name = "__stdoutp"
    )]
    #[cfg_attr(
        not(any(target_vendor = "apple", target_os = "freebsd")),
        link_name = "stdout"
    )]
    static C_STDOUT: *mut libc::FILE;
}

/// Has C code write each line when it has ended, also to a pipe: what it keeps would be lost if this process dies.
pub(crate) fn write_c_stdout_by_lines() {
    // SAFETY: the stream is the C library's own, which locks it, and finds memory for its lines itself. Without any, it
    // writes as it did.
    let _ = unsafe { libc::setvbuf(C_STDOUT, std::ptr::null_mut(), libc::_IOLBF, 0) };
}

/// Writes what C code has printed and the C library still keeps. Of this stream alone: another one may be locked for long,
/// by a thread that reads from it.
pub(crate) fn flush_c_stdout() {
    // SAFETY: as above. What can't be written is the C library's to remember.
    let _ = unsafe { libc::fflush(C_STDOUT) };
}
