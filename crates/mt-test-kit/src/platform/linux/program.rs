//! Programs that detach themselves, and programs that may dump core.

use std::{fs, process::Command};

use crate::{Folder, Scene};

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

/// The same command in a session of its own.
#[must_use]
pub fn detached(command: &Command) -> Command {
    let mut outer = Command::new("setsid");
    outer.arg(command.get_program()).args(command.get_args());
    outer
}

/// Whether this is the system that is called so.
pub(crate) fn is_this(system: &str) -> bool {
    ["linux", "unix"].contains(&system)
}
