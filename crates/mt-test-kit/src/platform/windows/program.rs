//! Programs that tests start.
#![expect(unsafe_code, reason = "asking for a function of Wine's")]

use std::{
    env, fs,
    os::windows::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use windows_sys::{
    Win32::System::{
        LibraryLoader::{GetModuleHandleW, GetProcAddress},
        Threading::{CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS},
    },
    s, w,
};

use crate::Folder;

/// Whether this is the system that is called so.
pub(crate) fn is_this(system: &str) -> bool {
    system == "windows" || system == "wine" && is_wine()
}

fn is_wine() -> bool {
    // SAFETY: both names end with a zero, and every process has this library.
    unsafe { GetProcAddress(GetModuleHandleW(w!("ntdll.dll")), s!("wine_get_version")).is_some() }
}

/// A program that sleeps for long, and does nothing else.
#[must_use]
pub fn sleeper() -> Command {
    let mut command = Command::new("ping");
    command.args(["-n", "1000", "127.0.0.1"]);
    command.stdout(Stdio::null());
    command
}

/// The same command, which detaches itself as far as it can.
#[must_use]
pub fn detached(command: &Command) -> Command {
    let mut other = Command::new(command.get_program());
    other.args(command.get_args()).stdout(Stdio::null());
    other.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    other
}

/// A worker program that is this one, started by a shell that does this before. The shell's file stays behind.
#[must_use]
pub fn worker_after(what: &str) -> PathBuf {
    let own = env::current_exe().unwrap();
    let own = own.display();
    let text = format!("{what}\n\"{own}\" %* mt_pool_worker --exact --nocapture >NUL");
    // The folder outlives the run as long as the program does.
    let folder = Folder::temp();
    let program = folder.script("program", &text);
    std::mem::forget(folder);
    program
}

/// What sets a variable for a program that the shell starts.
#[must_use]
pub fn sets(name: &str, value: &str) -> String {
    format!("set {name}={value}")
}

/// What has the shell start this program, as a worker, with this test.
pub(crate) fn runs_as_worker(test: &str) -> String {
    let own = env::current_exe().unwrap();
    format!(
        "\"{}\" %* {test} --exact --nocapture --test-threads=1",
        own.display()
    )
}

/// Writes a program of the shell with this text to about this place. Returns where it is.
pub(crate) fn write_program(path: &Path, text: &str) -> PathBuf {
    let path = path.with_extension("bat");
    let text = format!("@echo off\n{text}\n");
    fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    path
}
