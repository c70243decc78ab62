//! Looks at processes as `/proc` shows them, and signals to them.

use std::{fs, path::PathBuf};

pub use rustix::process::Signal;
use rustix::{
    io::Errno,
    process::{Pid, kill_process},
};

/// The pids of the children that all threads of a process have, zombies too; none if it is gone.
pub fn children_of(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let threads = threads.into_iter().flatten().flatten();
    // A thread may end between the listing and the look.
    let lists = threads.filter_map(|it| fs::read_to_string(it.path().join("children")).ok());
    let lists: Vec<String> = lists.collect();
    let pids = lists.iter().flat_map(|list| list.split_ascii_whitespace());
    pids.map(|pid| pid.parse().unwrap()).collect()
}

/// The threads of a process, for people: name, state, and where in the system it waits.
pub(crate) fn doing(pid: u32) -> String {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let threads = threads.into_iter().flatten().flatten().map(|thread| {
        let read = |file| fs::read_to_string(thread.path().join(file)).unwrap_or_default();
        let (name, stat, place) = (read("comm"), read("stat"), read("wchan"));
        let state = stat.rsplit_once(") ").map_or("?", |(_, rest)| &rest[..1]);
        format!("{} {state} {place}", name.trim())
    });
    format!("{pid}: {}", threads.collect::<Vec<_>>().join(", "))
}

/// The letter of a process's state, such as `T` of one that is stopped; `None` when it is gone for good.
pub fn state_of(pid: u32) -> Option<char> {
    fields_of(pid)?.chars().next()
}

/// The session of a process that there is. 0 for one that was started outside of this process's PID namespace, for which
/// the calls of the system, and of `rustix` with them, have no number.
pub fn session_of(pid: u32) -> u32 {
    let fields = fields_of(pid).unwrap();
    let session = fields.split(' ').nth(3).unwrap();
    session.parse().unwrap()
}

/// What the system says of a process, from its state on: that follows the name, which is in parentheses and may hold
/// anything.
fn fields_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.to_owned())
}

/// Whether a process is gone, or dead and somebody else's to reap.
pub fn is_gone(pid: u32) -> bool {
    matches!(state_of(pid), None | Some('Z' | 'X'))
}

/// Waits until none of the processes runs any more. A zombie is the business of whoever adopted it.
pub fn wait_until_gone(pids: &[u32]) {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        process::{PidfdFlags, pidfd_open},
    };
    let _watchdog = crate::watchdog(format!("waiting for the end of {pids:?}"));
    for &pid in pids {
        match pidfd_open(pid_of(pid), PidfdFlags::empty()) {
            Ok(pidfd) => {
                let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
                poll(&mut fds, None).unwrap();
            }
            Err(error) => assert_eq!(error, Errno::SRCH),
        }
    }
}

/// Sends a signal. A process that is gone gets none.
pub fn signal(pid: u32, signal: Signal) {
    let sent = kill_process(pid_of(pid), signal);
    assert!(matches!(sent, Ok(()) | Err(Errno::SRCH)), "{sent:?}");
}

/// The open descriptors of this process, and what they are of. What the test runner opens is among them.
pub fn descriptors() -> Vec<(i32, PathBuf)> {
    let entries = fs::read_dir("/proc/self/fd").unwrap();
    let read = |entry: fs::DirEntry| {
        let fd = entry.file_name().to_str()?.parse().ok()?;
        Some((fd, fs::read_link(entry.path()).ok()?))
    };
    entries.flatten().filter_map(read).collect()
}

/// How many descriptors of this process are files of blobs.
pub fn blob_descriptors() -> usize {
    let all = descriptors().into_iter();
    all.filter(|(_, path)| path.to_string_lossy().contains("mt-blob"))
        .count()
}

/// The bytes of memory that this process has for itself: no file's.
pub fn own_bytes() -> u64 {
    status_bytes("RssAnon:")
}

/// What this process has of a kind of memory, as the system calls it.
fn status_bytes(kind: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(kind));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() * 1024
}

fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed()).unwrap()
}

/// The bytes of memory that this process has in use, with what it shares.
pub fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// The most memory that this process has had so far.
pub fn peak_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// How many threads this process has.
pub fn thread_count() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// How many threads of this process have this name.
pub fn threads_named(name: &str) -> usize {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let names =
        threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok());
    names.filter(|found| found.trim_end() == name).count()
}
