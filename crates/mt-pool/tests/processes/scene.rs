//! A process for every test, and a look at what is left in it.

use std::{
    env, fs,
    io::Write,
    process::Command,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use mt_pool::{asyn_pmap, task};

/// The variable that tells a test that it has its process to itself.
const ALONE: &str = "MT_TEST_ALONE";

/// Runs a test in a process of its own, under a watchdog. Afterwards the pool still works there, and
/// the test has left no process, no zombie and no descriptor.
pub(crate) fn check<F: FnOnce()>(test: F) {
    let name = name_of::<F>();
    if env::var_os(ALONE).is_some_and(|alone| alone == name.as_str()) {
        let _watchdog = watchdog(name);
        // What the library keeps for the life of a process is there after the first run.
        works();
        let before = descriptors();
        test();
        works();
        assert_eq!(children(), [0_u32; 0], "processes are left");
        wait_until("all descriptors are closed", || descriptors() <= before);
        return;
    }
    let _watchdog = watchdog(name.clone());
    let output = itself(&name).output().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    assert!(out.contains("1 passed"), "{name} was not found:\n{out}");
}

/// This program again, running the test `name` alone.
pub(crate) fn itself(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ALONE, name);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The name that the harness knows the test by whose closure this is the type of.
fn name_of<F>() -> String {
    let path = std::any::type_name::<F>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    let end = path.find("::{{closure}}").unwrap_or(path.len());
    path[..end].to_owned()
}

#[task]
fn next(n: u64) -> u64 {
    n + 1
}

/// The pool works.
pub(crate) fn works() {
    let run = asyn_pmap::<next>(0..10).pool_processes(2).start().unwrap();
    let values: Vec<u64> = run.into_iter().map(Result::unwrap).collect();
    assert_eq!(values, (1..=10).collect::<Vec<_>>());
}

/// The open descriptors of this process, by number. What the harness opens is among them.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The pids of this process's children, zombies too.
pub(crate) fn children() -> Vec<u32> {
    children_of(std::process::id())
}

/// The pids of a process's children, zombies too.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let lists = threads.flatten().filter_map(|thread| {
        // A thread may end between the listing and the look.
        fs::read_to_string(thread.path().join("children")).ok()
    });
    let all: Vec<String> = lists.collect();
    all.iter()
        .flat_map(|list| list.split_ascii_whitespace())
        .map(|pid| pid.parse().unwrap())
        .collect()
}

/// Whether a process is gone, or dead and somebody else's to reap.
pub(crate) fn is_gone(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    matches!(state, None | Some('Z' | 'X'))
}

/// Looks again and again; the watchdog ends it if it never comes true.
pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let _watchdog = watchdog(format!("waiting until {what}"));
    while !is_true() {
        // Leaves the processor to those it waits for; nobody unparks it.
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Ends the process, and with it the test, unless it is dropped before.
pub(crate) struct Watchdog {
    _alive: Sender<()>,
}

pub(crate) fn watchdog(name: String) -> Watchdog {
    let (alive, gone) = channel::<()>();
    thread::spawn(move || {
        if gone.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
            // Not `eprintln!`: the test runner would keep it and die with it.
            let _ = writeln!(std::io::stderr(), "{name} hangs");
            std::process::abort();
        }
    });
    Watchdog { _alive: alive }
}
