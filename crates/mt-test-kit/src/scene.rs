//! A process that plays a scene of a test: this program again, in a role.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    process::{ChildStdout, Command, ExitStatus, Stdio},
};

use crate::{Running, Signal, itself, platform, signal, wait_until_gone};

/// The variable that tells a process what it plays.
const ROLE: &str = "MT_TEST_ROLE";

/// What this process plays; empty when nothing, as in the test runner itself.
pub fn role() -> String {
    let role = env::var(ROLE).unwrap_or_default();
    if !role.is_empty() {
        platform::await_console();
    }
    role
}

/// A process in a role, and what it has told so far. Killed after a minute.
#[derive(Debug)]
pub struct Scene {
    process: Running,
    lines: Lines<BufReader<ChildStdout>>,
    /// The pids it has told, in lines such as `PIDS 5 17`.
    pub pids: Vec<u32>,
}

impl Scene {
    /// The command that starts this program again, to run the test `name` alone, in a role.
    pub fn of(name: &str, role: &str) -> Command {
        let mut command = itself(name);
        command.env(ROLE, role).stdout(Stdio::piped());
        command
    }

    /// The same command, started by another program with these words before it, such as `env --ignore-signal`.
    pub fn through(program: &str, words: &[&str], command: &Command) -> Command {
        let mut outer = Command::new(program);
        outer.args(words).arg(command.get_program());
        outer.args(command.get_args()).stdout(Stdio::piped());
        for (name, value) in command.get_envs() {
            outer.env(name, value.unwrap());
        }
        outer
    }

    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let mut process = Running::start(command);
        let lines = BufReader::new(process.stdout()).lines();
        Self {
            process,
            lines,
            pids: Vec::new(),
        }
    }

    /// The process's pid.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Reads on until a line with this word, and collects pids.
    pub fn read_until(&mut self, word: &str) -> String {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            if let Some((_, pids)) = line.split_once("PIDS") {
                let pids = pids.split_ascii_whitespace().map(str::parse);
                self.pids.extend(pids.map(Result::<u32, _>::unwrap));
            }
            if line.contains(word) {
                return line;
            }
        }
        panic!("it does not say {word}");
    }

    /// Ends its standard input, which was piped.
    pub fn close_stdin(&mut self) {
        self.process.close_stdin();
    }

    /// Sends it a signal.
    pub fn signal(&self, which: Signal) {
        signal(self.pid(), which);
    }

    /// Plays a scene that tells pids, to a good end: nothing of it is left then.
    pub fn ends_well(command: &mut Command) {
        let mut scene = Self::start(command);
        scene.read_until("PIDS");
        let status = scene.end();
        assert!(status.success(), "{status}");
    }

    /// Waits for its end, and until nothing of what it has told of runs any more.
    pub fn end(self) -> ExitStatus {
        let status = self.process.wait();
        wait_until_gone(&self.pids);
        status
    }
}
