//! Looks at processes as `ps` shows them, and signals to them.
#![expect(unsafe_code, reason = "a process that goes mad is what is tested")]

use std::{fs, os::fd::BorrowedFd, path::PathBuf, process::Command};

pub use rustix::process::Signal;
use rustix::{
    io::Errno,
    net::{Shutdown, shutdown},
    process::{Pid, kill_process},
};

/// What `ps` says of processes, in these columns.
fn told(words: &[&str]) -> String {
    let output = Command::new("ps").args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The pids of the children of a process, zombies too; none if it is gone. Not the one that lists them.
#[must_use]
pub fn children_of(pid: u32) -> Vec<u32> {
    let all = told(&["-A", "-o", "pid=,ppid=,comm="]);
    let child = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (child, parent) = (fields.next()?.parse().ok()?, fields.next()?);
        let is_child = parent == pid.to_string() && fields.next() != Some("ps");
        is_child.then_some(child)
    };
    all.lines().filter_map(child).collect()
}

/// A process, for people.
pub(crate) fn doing(pid: u32) -> String {
    let process = pid.to_string();
    format!("{pid}: {}", told(&["-M", "-p", &process]).trim())
}

/// The letter of a process's state, such as `T` of one that is stopped; `None` when it is gone for good.
pub fn state_of(pid: u32) -> Option<char> {
    told(&["-o", "state=", "-p", &pid.to_string()])
        .trim()
        .chars()
        .next()
}

/// Whether a process is gone, or dead and somebody else's to reap.
#[must_use]
pub fn is_gone(pid: u32) -> bool {
    let state = told(&["-o", "stat=", "-p", &pid.to_string()]);
    matches!(state.chars().next(), None | Some('Z'))
}

/// Waits until none of the processes runs any more. A zombie is the business of whoever adopted it.
pub fn wait_until_gone(pids: &[u32]) {
    pids.iter()
        .for_each(|&pid| crate::wait_until(|| is_gone(pid)));
}

/// Sends a signal. A process that is gone gets none.
pub fn signal(pid: u32, signal: Signal) {
    let sent = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal);
    assert!(matches!(sent, Ok(()) | Err(Errno::SRCH)), "{sent:?}");
}

/// The open descriptors of this process, and where the system lists them. What the test runner opens is among them.
#[must_use]
pub fn descriptors() -> Vec<(i32, PathBuf)> {
    let entries = fs::read_dir("/dev/fd").unwrap().flatten();
    let number = |entry: fs::DirEntry| {
        let fd = entry.file_name().to_str()?.parse().ok()?;
        Some((fd, entry.path()))
    };
    entries.filter_map(number).collect()
}

/// How many descriptors of this process are files of blobs: the system does not tell which, and files of blobs are closed
/// when they are mapped.
#[must_use]
pub fn blob_descriptors() -> usize {
    0
}

/// The bytes of memory that this process has.
#[must_use]
pub fn own_bytes() -> u64 {
    let kib = told(&["-o", "rss=", "-p", &std::process::id().to_string()]);
    kib.trim().parse::<u64>().unwrap() * 1024
}

/// The bytes of memory that this process has in use, with what it shares.
#[must_use]
pub fn resident_bytes() -> u64 {
    own_bytes()
}

/// The most memory that this process has had so far.
#[must_use]
pub fn peak_bytes() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: there is room for what is written.
    let usage = unsafe {
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), 0);
        usage.assume_init()
    };
    usage.ru_maxrss as u64
}

/// How many threads this process has.
#[must_use]
pub fn thread_count() -> usize {
    let own = std::process::id().to_string();
    told(&["-M", "-p", &own]).lines().skip(1).count()
}

/// How many threads of this process have this name.
#[must_use]
pub fn threads_named(name: &str) -> usize {
    // SAFETY: these are the declarations of the C library.
    unsafe extern "C" {
        fn pthread_from_mach_thread_np(port: u32) -> *mut std::ffi::c_void;
        fn pthread_getname_np(
            thread: *mut std::ffi::c_void,
            name: *mut std::ffi::c_char,
            bytes: usize,
        ) -> i32;
        static mach_task_self_: u32;
        fn task_threads(task: u32, list: *mut *mut u32, count: *mut u32) -> i32;
    }
    let (mut list, mut count) = (std::ptr::null_mut(), 0);
    // SAFETY: both are written into memory that is ours. The list is small and is not given back.
    let ports = unsafe {
        assert_eq!(
            task_threads(mach_task_self_, &raw mut list, &raw mut count),
            0
        );
        std::slice::from_raw_parts(list, count as usize)
    };
    let is_named = |&&port: &&u32| {
        let mut text = [0; 64];
        // SAFETY: there is room for so many bytes, and a thread that has ended has no name.
        unsafe {
            let thread = pthread_from_mach_thread_np(port);
            !thread.is_null()
                && pthread_getname_np(thread, text.as_mut_ptr(), text.len()) == 0
                && std::ffi::CStr::from_ptr(text.as_ptr()).to_bytes() == name.as_bytes()
        }
    };
    ports.iter().filter(is_named).count()
}

/// Ends the thread that calls it, and not its process.
pub fn end_thread() -> ! {
    // SAFETY: this is the declaration of the C library.
    unsafe extern "C" {
        fn pthread_exit(value: *mut std::ffi::c_void) -> !;
    }
    // SAFETY: none; what the thread owns is never dropped, and whoever waits for it waits for ever: that is the point.
    unsafe { pthread_exit(std::ptr::null_mut()) }
}

/// Ends every connection of this process, and leaves its descriptors open.
pub fn shut_sockets() {
    for (fd, _) in descriptors() {
        // SAFETY: the descriptor was open a moment ago, and is not closed here.
        let _ = shutdown(unsafe { BorrowedFd::borrow_raw(fd) }, Shutdown::Both);
    }
}
