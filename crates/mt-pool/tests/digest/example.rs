//! Running the built example, for a minute at most.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// A run of the example that is being described.
pub(crate) struct Example(Command);

/// A run that goes on. It is killed after a minute, so that what waits for it sees an end.
pub(crate) struct Running {
    child: Child,
    _alive: Sender<()>,
}

impl Example {
    pub(crate) fn new(tree: &Path) -> Self {
        let mut command = Command::new(program());
        command.arg(tree).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    pub(crate) fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args([arg])
    }

    pub(crate) fn args(&mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> &mut Self {
        self.0.args(args);
        self
    }

    pub(crate) fn start(&mut self) -> Running {
        let child = self.0.spawn().unwrap();
        let pid = Pid::from_child(&child);
        let (alive, gone) = channel::<()>();
        thread::spawn(move || {
            if gone.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Running {
            child,
            _alive: alive,
        }
    }

    /// Runs it to its end.
    pub(crate) fn output(&mut self) -> Output {
        let Running { child, _alive } = self.start();
        child.wait_with_output().unwrap()
    }
}

impl Running {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

/// Cargo puts examples beside the folder of the tests.
fn program() -> PathBuf {
    let this = env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join("digest");
    assert!(
        program.exists(),
        "{} is not built: `cargo test -p mt-pool` builds it, and so does `cargo build -p mt-pool \
         --example digest` (with the same `--release` or `--profile`)",
        program.display()
    );
    program
}
