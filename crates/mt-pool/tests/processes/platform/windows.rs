//! Windows: handles, and the programs that every system has.
#![expect(unsafe_code, reason = "a task that goes mad is what is tested")]

use std::{
    fs::File,
    io::Write,
    mem::ManuallyDrop,
    os::windows::{
        io::{AsHandle, AsRawHandle, FromRawHandle, RawHandle},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    ptr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use mt_test_kit::{Signal, descriptors, wait_until};
use windows_sys::Win32::{
    Foundation::CloseHandle,
    Storage::FileSystem::WriteFile,
    System::{
        Console::{
            GetStdHandle, STD_ERROR_HANDLE, STD_OUTPUT_HANDLE, SetConsoleCtrlHandler, SetStdHandle,
        },
        IO::{GetOverlappedResult, OVERLAPPED},
        Memory::{CreateFileMappingW, FILE_MAP_READ, MapViewOfFile, PAGE_READONLY},
        Pipes::PeekNamedPipe,
        Threading::CreateEventW,
    },
};

/// What programs of the system end a line with.
pub(crate) const LINE_END: &str = "\r\n";

/// Programs of the shell that end at once.
pub(crate) const EXITS_0: &str = "exit 0";
pub(crate) const EXITS_1: &str = "exit 1";
/// One that says something before.
pub(crate) const SAYS_AND_EXITS_3: &str = "echo no such luck 1>&2\nexit 3";
/// Programs of the shell that live and say nothing.
pub(crate) const SAY_NOTHING: [&str; 1] = ["ping -n 1000 127.0.0.1 >NUL"];
/// Sleeps for a while.
pub(crate) const SLEEPS: &str = "ping -n 2 127.0.0.1 >NUL";

/// A program that prints a line.
pub(crate) fn echo(line: &str) -> Command {
    let mut command = Command::new("cmd");
    // The shell prints quotation marks too.
    command.args(["/c", "echo"]).raw_arg(line);
    command
}

/// A program that prints what a variable is.
pub(crate) fn prints_variable(name: &str) -> Command {
    echo(&format!("%{name}%"))
}

/// The command that starts a program with what marks a worker.
pub(crate) fn marked_as_worker(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("mt-worker:wrapped");
    command
}

/// The flags that the keys of a console set.
static FLAGS: Mutex<Vec<(u32, Arc<AtomicBool>)>> = Mutex::new(Vec::new());

/// Has a flag set when this signal comes: the key that stands for it.
pub(crate) fn flag_on(signal: Signal) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let key = u32::from(signal == Signal::TERM);
    FLAGS.lock().unwrap().push((key, Arc::clone(&flag)));
    // SAFETY: the handler may be called at any time, and does not unwind.
    assert_ne!(unsafe { SetConsoleCtrlHandler(Some(set_flags), 1) }, 0);
    flag
}

/// Sets the flags of a key, and takes it if it has any.
// SAFETY: only the system calls it, in a thread of its own.
unsafe extern "system" fn set_flags(key: u32) -> i32 {
    let flags = FLAGS.lock().unwrap();
    let mut its = flags.iter().filter(|(of, _)| *of == key);
    let first = its.next();
    let all = first.into_iter().chain(its);
    all.map(|(_, flag)| flag.store(true, Ordering::SeqCst))
        .count()
        .min(1) as i32
}

/// Starts a program that writes its id to standard error and holds that for ever. Returns when it has written.
pub(crate) fn leave_writer() {
    let mut child = mt_test_kit::sleeper()
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    writeln!(std::io::stderr(), "stray {}", child.id()).unwrap();
    wait_until(|| child.try_wait().unwrap().is_none());
}

fn with<R>(which: u32, file: impl AsHandle, run: impl FnOnce() -> R) -> R {
    // SAFETY: both handles are open until the end of this.
    unsafe {
        let before = GetStdHandle(which);
        SetStdHandle(which, file.as_handle().as_raw_handle());
        let result = run();
        SetStdHandle(which, before);
        result
    }
}

/// Runs with this as standard error.
pub(crate) fn with_stderr<R>(file: impl AsHandle, run: impl FnOnce() -> R) -> R {
    with(STD_ERROR_HANDLE, file, run)
}

/// Runs with this as standard output.
pub(crate) fn with_stdout<R>(file: impl AsHandle, run: impl FnOnce() -> R) -> R {
    with(STD_OUTPUT_HANDLE, file, run)
}

fn lent(handle: RawHandle) -> ManuallyDrop<File> {
    // SAFETY: the handle is open, and is not closed here.
    ManuallyDrop::new(unsafe { File::from_raw_handle(handle) })
}

/// Writes to standard output, past all buffers.
pub(crate) fn write_to_stdout(bytes: &[u8]) {
    // SAFETY: it takes a number.
    let stdout = unsafe { GetStdHandle(STD_OUTPUT_HANDLE) };
    lent(stdout).write_all(bytes).unwrap();
}

/// The numbers of the handles of pipes and files, but for standard output and error.
fn files() -> Vec<RawHandle> {
    // SAFETY: it takes numbers.
    let kept = [STD_OUTPUT_HANDLE, STD_ERROR_HANDLE].map(|which| unsafe { GetStdHandle(which) });
    let all = descriptors().into_iter();
    let files = all.filter(|(_, kind)| kind.as_os_str() == "File");
    let handles = files.map(|(number, _)| ptr::without_provenance_mut(number as usize));
    handles.filter(|handle| !kept.contains(handle)).collect()
}

/// Closes all handles of pipes and files but standard output and error.
pub(crate) fn close_everything() {
    for handle in files() {
        // SAFETY: none for its owners, whose next call fails: that is the point.
        unsafe { CloseHandle(handle) };
    }
}

/// Whether something can be read from, as from a pipe.
fn is_pipe(handle: RawHandle) -> bool {
    let none = ptr::null_mut();
    // SAFETY: nothing is asked for.
    unsafe { PeekNamedPipe(handle, none, 0, none.cast(), none.cast(), none.cast()) != 0 }
}

/// Writes to every pipe of this process, once.
pub(crate) fn write_to_sockets(bytes: &[u8]) {
    for handle in files().into_iter().filter(|handle| is_pipe(*handle)) {
        // SAFETY: what is begun with the event is waited for. Its lowest bit keeps the end of the call from the runtime that
        // the pipe belongs to.
        unsafe {
            let event = CreateEventW(ptr::null(), 1, 0, ptr::null());
            let mut overlapped = OVERLAPPED {
                hEvent: event.map_addr(|number| number | 1),
                ..OVERLAPPED::default()
            };
            let length = bytes.len() as u32;
            WriteFile(
                handle,
                bytes.as_ptr(),
                length,
                ptr::null_mut(),
                &raw mut overlapped,
            );
            let mut written = 0;
            GetOverlappedResult(handle, &raw const overlapped, &raw mut written, 1);
            CloseHandle(event);
        }
    }
}

/// Maps a file and adds up the first byte of each of its pages.
pub(crate) fn sum_of_pages(path: &Path, bytes: usize) -> u64 {
    let file = File::open(path).unwrap();
    // SAFETY: the file is open, nobody changes it, and the memory stays mapped.
    let memory = unsafe {
        let section = CreateFileMappingW(
            file.as_raw_handle(),
            ptr::null(),
            PAGE_READONLY,
            0,
            0,
            ptr::null(),
        );
        let at = MapViewOfFile(section, FILE_MAP_READ, 0, 0, bytes);
        assert!(!at.Value.is_null());
        std::slice::from_raw_parts(at.Value.cast::<u8>(), bytes)
    };
    let pages = memory.iter().step_by(4096);
    pages.map(|byte| u64::from(*byte)).sum()
}
