//! What a misbehaving task does, or its host, and safe Rust can't.
#![expect(unsafe_code, reason = "a process that goes mad is what is tested")]

use crate::descriptors;

/// Ends the thread that calls it, and not its process.
pub fn end_thread() -> ! {
    const EXIT: std::ffi::c_long = if cfg!(target_arch = "x86_64") { 60 } else { 93 };
    // SAFETY: this is the declaration of the C library.
    unsafe extern "C" {
        fn syscall(number: std::ffi::c_long, ...) -> std::ffi::c_long;
    }
    // SAFETY: none; what the thread owns is never dropped, and whoever waits for it waits for ever: that is the point.
    unsafe { syscall(EXIT, 0) };
    unreachable!("the thread has ended")
}

/// Makes a copy of this process and returns twice: the copy's id, and 0 in the copy.
pub fn fork() -> u32 {
    // SAFETY: this is the declaration of the C library.
    unsafe extern "C" {
        fn fork() -> i32;
    }
    // SAFETY: none for the copy, which has one of this process's threads: that is the point.
    unsafe { fork() }.cast_unsigned()
}

/// Starts a process that is a copy of this one, descriptors included, and does nothing. Returns its id.
pub fn fork_that_stays() -> u32 {
    // SAFETY: these are the declarations of the C library.
    unsafe extern "C" {
        fn fork() -> i32;
        fn pause() -> i32;
    }
    // SAFETY: the copy has one thread, which makes no call but one that may be made there.
    unsafe {
        match fork() {
            0 => loop {
                pause();
            },
            pid => pid.cast_unsigned(),
        }
    }
}

/// Becomes this user, with all threads, for good. Returns whether that was permitted.
pub fn become_user(id: u32) -> bool {
    // SAFETY: this is the declaration of the C library.
    unsafe extern "C" {
        fn setuid(id: u32) -> i32;
    }
    // SAFETY: no memory is touched.
    unsafe { setuid(id) == 0 }
}

/// Ends every connection of this process, and leaves its descriptors open.
pub fn shut_sockets() {
    // SAFETY: this is the declaration of the C library.
    unsafe extern "C" {
        fn shutdown(socket: i32, how: i32) -> i32;
    }
    for (fd, _) in descriptors() {
        // SAFETY: no memory is touched.
        unsafe { shutdown(fd, 2) };
    }
}
