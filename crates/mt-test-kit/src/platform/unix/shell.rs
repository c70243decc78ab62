//! Programs that tests start, by the shell that every Unix has.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Folder;

/// A worker program that is this one, started by a shell that does this before. The shell's file stays behind.
pub fn worker_after(what: &str) -> PathBuf {
    let own = env::current_exe().unwrap();
    let text = format!(
        "{what}; exec -a mt-worker '{}' mt_pool_worker --exact --nocapture >/dev/null",
        own.display()
    );
    // The folder outlives the run as long as the program does.
    let folder = Folder::temp();
    let program = folder.script("program", &text);
    std::mem::forget(folder);
    program
}

/// A program that sleeps for long, and does nothing else.
#[must_use]
pub fn sleeper() -> Command {
    let mut command = Command::new("sleep");
    command.arg("1000");
    command
}

/// Has a command start in a console of its own, which here no signal needs.
pub(crate) fn own_console(_command: &mut Command) {}

/// Lets others send Ctrl-C and the like to this process, which here needs nothing.
pub(crate) fn await_console() {}

/// What sets a variable for a program that the shell starts.
#[must_use]
pub fn sets(name: &str, value: &str) -> String {
    format!("export {name}='{value}'")
}

/// What makes the shell this program, as a worker, with this test.
pub(crate) fn runs_as_worker(test: &str) -> String {
    let own = env::current_exe().unwrap();
    format!(
        "exec -a mt-worker '{}' {test} --exact --nocapture --test-threads=1",
        own.display()
    )
}

/// Writes a program of the shell with this text to about this place. Returns where it is.
pub(crate) fn write_program(path: &Path, text: &str) -> PathBuf {
    fs::write(path, format!("#!/bin/bash\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_owned()
}
