//! Unix: descriptors, signals, and the programs that every system has.
#![expect(unsafe_code, reason = "a task that goes mad is what is tested")]

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    mem::ManuallyDrop,
    os::{
        fd::{AsFd, FromRawFd},
        unix::process::CommandExt,
    },
    path::Path,
    process::Command,
    sync::{Arc, atomic::AtomicBool},
};

use mt_test_kit::{Signal, descriptors, wait_until};
use rustix::stdio::{dup2_stderr, dup2_stdout, stderr, stdout};

/// What programs of the system end a line with.
pub(crate) const LINE_END: &str = "\n";

/// Programs of the shell that end at once.
pub(crate) const EXITS_0: &str = "exec true";
pub(crate) const EXITS_1: &str = "exec false";
/// One that says something before.
pub(crate) const SAYS_AND_EXITS_3: &str = "echo no such luck >&2; exit 3";
/// Programs of the shell that live and say nothing.
pub(crate) const SAY_NOTHING: [&str; 2] = ["exec cat", "exec sleep 1000"];
/// Sleeps for a while.
pub(crate) const SLEEPS: &str = "sleep 0.7";

/// A program that prints a line.
pub(crate) fn echo(line: &str) -> Command {
    let mut command = Command::new("echo");
    command.arg(line);
    command
}

/// A program that prints what a variable is.
pub(crate) fn prints_variable(name: &str) -> Command {
    let mut command = Command::new("printenv");
    command.arg(name);
    command
}

/// The command that starts a program with what marks a worker.
pub(crate) fn marked_as_worker(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg0("mt-worker");
    command
}

/// Has a flag set when this signal comes.
pub(crate) fn flag_on(signal: Signal) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal.as_raw(), Arc::clone(&flag)).unwrap();
    flag
}

/// Starts a program in a session of its own that writes its id to standard error and holds that for ever. Returns when it
/// has written.
pub(crate) fn leave_writer() {
    let words = ["sh", "-c", "echo stray $$ >&2; exec sleep 1000"];
    let child = Command::new("setsid").args(words).spawn();
    // The words come before the end of their writer's parent.
    let line = format!("/proc/{}/cmdline", child.unwrap().id());
    wait_until(|| fs::read_to_string(&line).unwrap().starts_with("sleep"));
}

/// Runs with this as standard error.
pub(crate) fn with_stderr<R>(file: impl AsFd, run: impl FnOnce() -> R) -> R {
    let before = stderr().try_clone_to_owned().unwrap();
    dup2_stderr(file).unwrap();
    let result = run();
    dup2_stderr(before).unwrap();
    result
}

/// Runs with this as standard output.
pub(crate) fn with_stdout<R>(file: impl AsFd, run: impl FnOnce() -> R) -> R {
    let before = stdout().try_clone_to_owned().unwrap();
    dup2_stdout(file).unwrap();
    let result = run();
    dup2_stdout(before).unwrap();
    result
}

/// Writes to standard output, past all buffers.
pub(crate) fn write_to_stdout(bytes: &[u8]) {
    rustix::io::write(stdout(), bytes).unwrap();
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
