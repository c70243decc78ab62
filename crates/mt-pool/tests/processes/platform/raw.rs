//! Acts on memory and descriptors that belong to somebody else.
#![expect(unsafe_code, reason = "a task that goes mad is what is tested")]

use std::{collections::BTreeSet, fs, io::Write, mem::ManuallyDrop, os::fd::FromRawFd, path::Path};

use mt_test_kit::descriptors;

/// Reads where nothing is.
pub(crate) fn segfault() -> u64 {
    let nowhere = std::ptr::without_provenance::<u64>(8);
    // SAFETY: none; the read faults, which ends the process: that is the point.
    unsafe { nowhere.read_volatile() }
}

/// Gives memory back to the C library twice.
pub(crate) fn free_twice() {
    // SAFETY: these are the declarations of the C library.
    unsafe extern "C" {
        fn malloc(bytes: usize) -> *mut std::ffi::c_void;
        fn free(memory: *mut std::ffi::c_void);
    }
    // SAFETY: none for the second `free`, which the C library sees and aborts for: that is the point.
    unsafe {
        let memory = std::hint::black_box(malloc(100));
        free(memory);
        free(memory);
    }
}

/// Prints text as C code does, which may keep it until there is more.
pub(crate) fn print_by_c(text: &str) {
    // SAFETY: this is the declaration of the C library.
    unsafe extern "C" {
        fn printf(format: *const std::ffi::c_char, ...) -> std::ffi::c_int;
    }
    let text = std::ffi::CString::new(text).unwrap();
    // SAFETY: both are texts that end with a zero, and the format takes one.
    assert!(unsafe { printf(c"%s".as_ptr(), text.as_ptr()) } > 0);
}

/// Has this process's exit wait for ever, in a handler of the C library's.
pub(crate) fn linger_at_exit() {
    // SAFETY: this is the declaration of the C library; 0 is success.
    unsafe extern "C" {
        fn atexit(handler: extern "C" fn()) -> std::ffi::c_int;
    }
    extern "C" fn wait_for_ever() {
        loop {
            std::thread::park();
        }
    }
    // SAFETY: the handler may be called at any time, and does not unwind.
    assert_eq!(unsafe { atexit(wait_for_ever) }, 0);
}

/// Closes all descriptors but standard output and error.
pub(crate) fn close_everything() {
    let open = descriptors().into_iter().map(|(fd, _)| fd);
    for fd in open.filter(|fd| ![1, 2].contains(fd)) {
        // SAFETY: none for its owners, whose next call fails: that is the point.
        drop(unsafe { fs::File::from_raw_fd(fd) });
    }
}

/// Writes to every socket of this process, once.
pub(crate) fn write_to_sockets(bytes: &[u8]) {
    let mut seen = BTreeSet::new();
    for (fd, target) in descriptors() {
        let is_socket = target.to_string_lossy().starts_with("socket:");
        if is_socket && seen.insert(target) {
            // SAFETY: the descriptor was open a moment ago, and is not closed here.
            let mut file = ManuallyDrop::new(unsafe { fs::File::from_raw_fd(fd) });
            let _ = file.write(bytes);
        }
    }
}

/// Maps a file and adds up the first byte of each of its pages.
pub(crate) fn sum_of_pages(path: &Path, bytes: usize) -> u64 {
    use rustix::mm::{MapFlags, ProtFlags, mmap};
    let file = fs::File::open(path).unwrap();
    // SAFETY: nothing is at an address that the system chooses, and nobody changes the file.
    let memory = unsafe {
        let at = mmap(
            std::ptr::null_mut(),
            bytes,
            ProtFlags::READ,
            MapFlags::SHARED,
            &file,
            0,
        );
        std::slice::from_raw_parts(at.unwrap().cast::<u8>(), bytes)
    };
    memory
        .iter()
        .step_by(4096)
        .map(|byte| u64::from(*byte))
        .sum()
}

/// Changes the environment of this process.
pub(crate) fn set_variable(name: &str, value: &str) {
    // SAFETY: the standard library guards its own uses of the environment, and no C code of a test looks at it.
    unsafe { std::env::set_var(name, value) }
}

/// Runs before `main`, and sleeps for so many milliseconds in a worker that is told to start slowly.
extern "C" fn start_slowly() {
    let time = std::env::var("MT_TEST_SLOW_START").ok();
    let time = time.and_then(|millis| millis.parse().ok());
    if let Some(millis) = time.filter(|_| mt_ipc::is_worker_process()) {
        std::thread::sleep(std::time::Duration::from_millis(millis)); // work: a constructor that takes its time
    }
}

// SAFETY: what the section holds are functions of this form, called once, before `main`.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = start_slowly;
