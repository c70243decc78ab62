//! Acts on memory that belongs to somebody else, and what C code does.
#![expect(unsafe_code, reason = "a task that goes mad is what is tested")]

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

#[used]
#[cfg(not(any(windows, target_vendor = "apple")))]
// SAFETY: what the section holds are functions of this form, called once, before `main`.
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = start_slowly;

#[used]
#[cfg(target_vendor = "apple")]
// SAFETY: what the section holds are functions of this form, called once, before `main`.
#[unsafe(link_section = "__DATA,__mod_init_func")]
static CONSTRUCTOR: extern "C" fn() = start_slowly;

#[used]
#[cfg(windows)]
// SAFETY: what the section holds are functions of this form, called once, before `main`.
#[unsafe(link_section = ".CRT$XCU")]
static CONSTRUCTOR: extern "C" fn() = start_slowly;
