//! Worker programs that start in an odd way, and programs that may dump core.

use std::{env, fs, path::PathBuf, process::Command};

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
