//! Worker programs that start in an odd way, and programs that may dump core.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Folder, Scene};

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

/// Runs a scene that may dump core, to a good end, and returns the bytes of the dumps it has made. `None`, which is
/// told, if this system keeps them elsewhere.
pub fn core_dumps(scene: &Command) -> Option<Vec<u64>> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.contains('/') || pattern.contains('|') {
        eprintln!("not tried: cores are kept elsewhere here");
        return None;
    }
    let folder = Folder::temp();
    let words = ["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""];
    let mut host = Scene::through("bash", &words, scene);
    let status = Scene::start(host.current_dir(folder.path())).end();
    assert!(status.success(), "{status}");
    let cores = fs::read_dir(folder.path()).unwrap().flatten();
    Some(cores.map(|core| core.metadata().unwrap().len()).collect())
}

/// Runs a scene in which one process dumps core that has `held` so many bytes: the dump is whole. See [`core_dumps`].
pub fn dumps_whole_core(scene: &Command, held: usize) {
    if let Some(dumps) = core_dumps(scene) {
        assert_eq!(dumps.len(), 1);
        assert!(dumps[0] > held as u64, "it was cut: {dumps:?}");
    }
}

/// A program that sleeps for long, and does nothing else.
#[must_use]
pub fn sleeper() -> Command {
    let mut command = Command::new("sleep");
    command.arg("1000");
    command
}

/// The same command in a session of its own.
#[must_use]
pub fn detached(command: &Command) -> Command {
    let mut outer = Command::new("setsid");
    outer.arg(command.get_program()).args(command.get_args());
    outer
}

/// Has a command start in a console of its own, which here no signal needs.
pub(crate) fn own_console(_command: &mut Command) {}

/// Lets others send Ctrl-C and the like to this process, which here needs nothing.
pub(crate) fn await_console() {}

/// Whether this is the system that is called so.
pub(crate) fn is_this(system: &str) -> bool {
    ["linux", "unix"].contains(&system)
}

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
