//! Examples, run as their users run them: as programs.

use std::{
    env,
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
};

use crate::{Alarm, Signal, platform, signal};

/// The command that runs an example of the crate under test. Cargo puts examples beside the folder of the tests.
pub fn example(name: &str) -> Command {
    let this = env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let program = profile
        .join("examples")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not built: `cargo test` builds it, and so does `cargo build --example {name}` (with the same \
         `-p` and `--release` or `--profile`)",
        program.display()
    );
    let mut command = Command::new(program);
    platform::own_console(&mut command);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process that is killed after a minute, so that whoever waits for it sees an end.
#[derive(Debug)]
pub struct Running {
    child: Child,
    _alarm: Alarm,
}

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        let pid = child.id();
        let _alarm = Alarm::new(move || signal(pid, Signal::KILL));
        Self { child, _alarm }
    }

    /// The process's pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the process writes to standard output; can be had once.
    pub fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// What the process writes to standard error; can be had once.
    pub fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    /// Ends the process's standard input, which was piped.
    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take().unwrap());
    }

    /// Waits for its end.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Waits for its end, and for all it has said.
    pub fn output(self) -> Output {
        let Self { child, _alarm } = self;
        child.wait_with_output().unwrap()
    }
}
