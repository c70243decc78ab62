//! A process for every test, and a look at what is left in it.

use std::{
    env, fs,
    io::Write,
    process::Command,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use mt_beehive::{BeehiveRun, Dispatch, Hive, Population, TaskResult, hive_of};

use crate::bees::{Birth, Doer, DoerTasks};

/// The variable that tells a test that it has its process to itself.
pub(crate) const ALONE: &str = "MT_TEST_ALONE";

/// Runs a test in a process of its own, under a watchdog. Afterwards a hive still works there, and the test
/// has left no process, no zombie and no descriptor.
pub(crate) fn check<F: FnOnce()>(test: F) {
    let name = name_of::<F>();
    let _watchdog = watchdog(name.clone());
    if env::var_os(ALONE).is_some_and(|alone| alone == name.as_str()) {
        // What the library keeps for the life of a process is there after the first run.
        works();
        let before = descriptors();
        test();
        works();
        assert_eq!(children(), [0_u32; 0], "processes are left");
        wait_until(|| descriptors() <= before);
        return;
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
fn name_of<F>() -> String {
    let path = std::any::type_name::<F>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    let end = path.find("::{{closure}}").unwrap_or(path.len());
    path[..end].to_owned()
}

/// A hive of so many bees that are like any other.
pub(crate) fn hive(bees: usize) -> BeehiveRun<Doer> {
    hive_of::<Doer>(Birth::Well).population(Population::Fixed(bees))
}

/// Runs a queen's task in the hive that `made` makes, with the auction and then with credit.
pub(crate) fn reign<T, F>(made: impl Fn() -> BeehiveRun<Doer>, task: T)
where
    T: Fn(Hive<Doer>) -> F,
    F: Future<Output = ()>,
{
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        block_on(made().dispatch(dispatch).run(&task)).unwrap();
        assert_eq!(children(), [0_u32; 0], "bees are left, {dispatch:?}");
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn works() {
    let run = hive(1).run(async |hive| hive.add(1, 2).await);
    let done = block_on(run).unwrap();
    assert_eq!(done, (TaskResult::Succeeded(3), Some(0)));
}

/// The reason of what was cancelled.
pub(crate) fn reason<R: std::fmt::Debug>(result: TaskResult<R>) -> String {
    match result {
        TaskResult::Cancelled { reason } => reason,
        other => panic!("{other:?}"),
    }
}

/// What was raised.
pub(crate) fn raised<R: std::fmt::Debug>(result: TaskResult<R>) -> String {
    match result {
        TaskResult::Raised(exception) => exception.exception,
        other => panic!("{other:?}"),
    }
}

/// The open descriptors of this process, by number. What the harness opens is among them.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The pids of this process's children, zombies too.
pub(crate) fn children() -> Vec<u32> {
    let threads = fs::read_dir("/proc/self/task").unwrap();
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
pub(crate) fn wait_until(mut is_true: impl FnMut() -> bool) {
    while !is_true() {
        // Leaves the processor to those it waits for; nobody unparks it.
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// The same without blocking the thread.
pub(crate) async fn until(mut is_true: impl FnMut() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(1));
    while !is_true() {
        looks.tick().await;
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
