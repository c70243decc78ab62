//! A process for every test, a watchdog, and looks at processes.

use std::{
    env, fs,
    io::Write,
    process::Command,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

/// The variable that tells a test that it has its process to itself.
pub(crate) const ALONE: &str = "MT_TEST_ALONE";

/// Runs a test in a process of its own, under a watchdog.
pub(crate) fn alone(name: String, test: impl FnOnce()) {
    let _watchdog = watchdog(name.clone());
    if env::var_os(ALONE).is_some_and(|alone| alone == name.as_str()) {
        return test();
    }
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
pub(crate) fn name_of<F>() -> String {
    let path = std::any::type_name::<F>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    let end = path.find("::{{closure}}").unwrap_or(path.len());
    path[..end].to_owned()
}

/// The pids of a process's children, zombies too.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
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

/// The state's letter of a process; `None` when it is gone.
pub(crate) fn state_of(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether a process is gone, or dead and somebody else's to reap.
pub(crate) fn is_gone(pid: u32) -> bool {
    matches!(state_of(pid), None | Some('Z' | 'X'))
}

/// Looks again and again; the watchdog ends it if it never comes true.
pub(crate) fn wait_until(mut is_true: impl FnMut() -> bool) {
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
