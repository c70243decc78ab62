//! Running the built example, for a minute at most.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);

/// A run of the example that is being described.
pub(crate) struct Example(Command);

/// A run that goes on. It is killed after a minute, so that what waits for it sees an end.
pub(crate) struct Running {
    child: Child,
    _alive: Sender<()>,
}

impl Example {
    pub(crate) fn new() -> Self {
        let mut command = Command::new(program());
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let child = self.0.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (alive, gone) = channel::<()>();
        thread::spawn(move || {
            if gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Running {
            child,
            _alive: alive,
        }
    }

    /// Runs it to its end.
    pub(crate) fn output(self) -> Output {
        self.start().output()
    }
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        Pid::from_child(&self.child).as_raw_nonzero().get()
    }

    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    /// Waits for its end, and for all it has said.
    pub(crate) fn output(self) -> Output {
        let Self { child, _alive } = self;
        child.wait_with_output().unwrap()
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// The pids of a process's children, zombies too; none if it is gone.
pub(crate) fn children_of(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    let lists = threads.flatten().filter_map(|thread| {
        // A thread may end between the listing and the look.
        fs::read_to_string(thread.path().join("children")).ok()
    });
    let lists: Vec<String> = lists.collect();
    let pids = lists.iter().flat_map(|list| list.split_ascii_whitespace());
    pids.map(|pid| pid.parse().unwrap()).collect()
}

/// How many sockets a process has. Each task that waits for the archive has one in the queen's process.
pub(crate) fn sockets_of(pid: i32) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    let links = descriptors
        .flatten()
        .filter_map(|it| fs::read_link(it.path()).ok());
    let is_socket = |link: &PathBuf| link.as_os_str().as_encoded_bytes().starts_with(b"socket:");
    links.filter(is_socket).count()
}

/// Whether a process is gone, or dead and somebody else's to reap.
pub(crate) fn is_gone(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    matches!(state, None | Some('Z' | 'X'))
}

/// Looks again and again, for a minute at most.
pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < PATIENCE, "waiting until {what}");
        // Leaves the processor to those it waits for; nobody unparks it.
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Cargo puts examples beside the folder of the tests.
fn program() -> PathBuf {
    let this = env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("predict");
    assert!(
        program.exists(),
        "{} is not built: `cargo test -p mt-beehive` builds it, and so does `cargo build -p mt-beehive \
         --example predict` (with the same `--release` or `--profile`)",
        program.display()
    );
    program
}
