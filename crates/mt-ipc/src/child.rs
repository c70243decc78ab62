//! A started worker process: its end, and putting an end to it.

use std::{fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize};
use tokio::process::Child;

use crate::platform::{Process, code_name, is_end_by_console, signal_name};

/// How a process ended. Both `None` means that it is gone but somebody else reaped it (a host program
/// that calls `waitpid(-1)`), and the system does not tell how it ended; Linux does from 6.15 on.
///
/// A host program that ignores `SIGCHLD` has its children reaped by the system. That changes nothing here: on a
/// system that does not tell how such a child has ended, the first start of a worker gives `SIGCHLD` its default
/// effect back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exit {
    /// The exit code, if it exited.
    pub code: Option<i32>,
    /// The signal's number, if a signal ended it.
    pub signal: Option<i32>,
    /// Whether it left a core dump.
    pub core_dumped: bool,
}

impl Exit {
    /// Whether it ended because somebody asked it to, and it did nothing against that: by `SIGTERM`, on Windows by Ctrl-C,
    /// Ctrl-Break or the end of its console.
    #[must_use]
    pub fn was_asked_to_end(&self) -> bool {
        const SIGTERM: i32 = 15;
        self.signal == Some(SIGTERM) || self.code.is_some_and(is_end_by_console)
    }
}

/// The end of a sentence about a process.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.signal, self.code) {
            (Some(signal), _) => {
                write!(f, "was killed by signal {signal}")?;
                if let Some(name) = signal_name(signal) {
                    let reached = limit_of(&name);
                    write!(f, " ({name}{reached})")?;
                }
                f.write_str(if self.core_dumped {
                    ", core dumped"
                } else {
                    ""
                })
            }
            (None, Some(code)) => match code_name(code) {
                Some(name) => write!(f, "ended with status {code:#X} ({name})"),
                None => write!(f, "exited with code {code}"),
            },
            (None, None) => {
                f.write_str("is gone (somebody else in this process reaped it, so how is unknown)")
            }
        }
    }
}

/// What else is said of a signal that tells of a limit.
fn limit_of(signal_name: &str) -> &'static str {
    match signal_name {
        "SIGXCPU" => ": the limit on its processor time",
        "SIGXFSZ" => ": the limit on the size of its files",
        _ => "",
    }
}

/// What a process is doing, as `/proc` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Activity {
    /// The state's letter: `R` running or waiting for a processor, `S` asleep, `T` stopped …
    pub state: char,
    /// The processor time it has used, in the system's ticks (mostly 10 ms).
    pub cpu_ticks: u64,
}

impl Activity {
    /// What a process might be seen to do. For tests.
    #[must_use]
    pub fn new(state: char, cpu_ticks: u64) -> Self {
        Self { state, cpu_ticks }
    }

    /// What the process is doing now; `None` where the system does not tell, or the process is gone.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Self::read(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The same of the first of the process's threads that has this name, of up to 15 bytes.
    #[must_use]
    pub fn of_thread(pid: u32, name: &str) -> Option<Self> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let has_name = |path: &std::path::PathBuf| {
            fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        let mut paths = threads.flatten().map(|thread| thread.path());
        let stat = paths.find(has_name)?.join("stat");
        Self::read(&fs::read_to_string(stat).ok()?)
    }

    fn read(stat: &str) -> Option<Self> {
        // The name before the state is in parentheses and may itself contain any character.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let mut ticks = fields.skip(10).map_while(|ticks| ticks.parse::<u64>().ok());
        Some(Self {
            state,
            cpu_ticks: ticks.next()? + ticks.next()?,
        })
    }
}

/// Whether the process is stopped (`SIGSTOP`, a terminal's Ctrl-Z) or held by a debugger. False where
/// the system does not tell.
#[must_use]
pub fn is_stopped(pid: u32) -> bool {
    Activity::of(pid).is_some_and(|now| matches!(now.state, 'T' | 't'))
}

/// Whether the process is dying: its core dump is being written, or its memory is being freed, either of which takes
/// seconds for some gigabytes. Then all of its threads end; that the main one has ended means nothing. False where the
/// system does not tell (Linux does from 4.15 on), and when it is gone.
#[must_use]
pub fn is_dying(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    if status_field(&status, "CoreDumping:") == Some("1") {
        return true;
    }
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    let mut threads = threads.flatten().peekable();
    threads.peek().is_some() && threads.all(|thread| thread_ends(&thread.path()))
}

/// Whether a thread ends, or has been told to by the end of its process.
fn thread_ends(thread: &Path) -> bool {
    /// The kernel's `PF_EXITING`, `PF_POSTCOREDUMP` and `PF_SIGNALED`: the thread ends, has stopped for the dump that
    /// another one writes, or has taken a deadly signal.
    const ENDS: u64 = 0x4 | 0x8 | 0x400;
    /// `SIGKILL` among the signals that wait for a thread: what ends a process tells all of its threads so.
    const KILLED: u64 = 1 << 8;
    let read = |file| fs::read_to_string(thread.join(file)).unwrap_or_default();
    let stat = read("stat");
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_ascii_whitespace();
    // A thread that is gone by now has ended.
    let has_ended = fields.next().is_none_or(|state| matches!(state, "Z" | "X"));
    let flags: Option<u64> = fields.nth(5).and_then(|flags| flags.parse().ok());
    let status = read("status");
    let waiting = status_field(&status, "SigPnd:");
    let waiting = waiting.and_then(|signals| u64::from_str_radix(signals, 16).ok());
    has_ended
        || flags.is_some_and(|flags| flags & ENDS != 0)
        || waiting.is_some_and(|signals| signals & KILLED != 0)
}

fn status_field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim())
}

/// A worker process. Dropping it before [`wait`](Self::wait) has returned kills it; a thread that ends then reaps it, and
/// what has gone with it and has become this process's, if this process adopts orphans.
#[derive(Debug)]
pub struct ChildProcess(Process);

impl ChildProcess {
    /// Takes charge of a child that was just started.
    pub(crate) fn new(child: Child) -> io::Result<Self> {
        Process::new(child).map(Self)
    }

    pub(crate) fn as_process(&self) -> &Process {
        &self.0
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills the process and everything it has started. Does nothing once it is reaped. Returns false if the system does
    /// not permit it, because the process is another user's: then it ends when its connection does, by itself.
    pub fn kill(&mut self) -> bool {
        self.0.kill()
    }

    /// Asks the process and everything it has started to end (`SIGTERM`; on Windows Ctrl-Break, where they have the console
    /// in common). What is still there of it when the process has ended, or at a [`kill`](Self::kill), is killed. Does
    /// nothing once it is reaped, and kills at once what has started hundreds of processes.
    pub fn terminate(&mut self) {
        self.0.terminate();
    }

    /// Waits for the end of the process, kills what it has left in its process group, and reaps it. Reaps as well what
    /// has gone with it and has become this process's, if this process adopts orphans.
    ///
    /// Cancel-safe: call it again to go on waiting.
    pub async fn wait(&mut self) -> Exit {
        self.0.wait().await
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_busy_process_runs_and_uses_time() {
        let before = Activity::of(std::process::id()).expect("we exist");
        let mut now = before;
        while now.cpu_ticks < before.cpu_ticks + 2 {
            now = Activity::of(std::process::id()).expect("we exist");
        }
        assert!(matches!(now.state, 'R' | 'S'), "{now:?}");
        assert_eq!(Activity::of(u32::MAX), None);
        let own = std::thread::current();
        let name = own.name().expect("the harness names it");
        let name = &name[..name.len().min(15)];
        assert!(Activity::of_thread(std::process::id(), name).is_some());
        assert_eq!(Activity::of_thread(std::process::id(), "nobody"), None);
        assert!(!is_dying(std::process::id()) && !is_dying(u32::MAX));
    }
}
