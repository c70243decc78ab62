//! The service, as a process of its own.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    process::{self, Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result};
use mt_test_kit::{Signal, signal};
use tokio::task::spawn_blocking;

use crate::{Args, By};

pub(crate) struct Running {
    child: Option<Child>,
    pid: u32,
    out: Option<BufReader<ChildStdout>>,
    pub(crate) port: u16,
}

/// What there was after the end.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Processes of the service that are still there.
    pub(crate) left: Vec<u32>,
}

impl Running {
    /// Starts this program as the service, at a free port.
    pub(crate) fn start(args: &Args, by: By) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["--by", by.name()]);
        for (option, value) in [
            ("--workers", args.workers as u64),
            ("--places", args.places as u64),
            ("--deadline", args.deadline),
            ("--grace", args.grace),
            ("--linger", args.linger),
        ] {
            command.args([option, &value.to_string()]);
        }
        command.args(["--listen", "127.0.0.1:0"]);
        let (mark, value) = mark();
        command.env(mark, value);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(child.stdout.take().context("it is piped")?);
        let pid = child.id();
        let mut running = Self {
            child: Some(child),
            pid,
            out: None,
            port: 0,
        };
        let mut line = String::new();
        out.read_line(&mut line)?;
        let port = line.trim_end().rsplit(':').next();
        let port = port.and_then(|port| port.parse().ok());
        running.port = port.with_context(|| format!("the service does not listen: {line:?}"))?;
        running.out = Some(out);
        Ok(running)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn terminate(&self) {
        signal(self.pid, Signal::TERM);
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) -> Result<Ended> {
        let mut child = self.child.take().context("it ends once")?;
        let mut out = self.out.take().context("it ends once")?;
        let (status, said) = spawn_blocking(move || {
            let mut said = String::new();
            out.read_to_string(&mut said)?;
            Ok::<_, anyhow::Error>((child.wait()?, said))
        })
        .await??;
        println!("the service: {}", said.trim_end());
        Ok(Ended {
            code: status.code(),
            left: marked()?,
        })
    }
}

/// What marks the service, its workers and whatever they start: a variable of theirs.
fn mark() -> (&'static str, String) {
    ("SERVICE_UNDER_LOAD", process::id().to_string())
}

/// The processes with the mark.
fn marked() -> Result<Vec<u32>> {
    let (name, value) = mark();
    let mark = format!("{name}={value}");
    let mut marked = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        // Those of others can't be read, and some are gone by now.
        let variables = fs::read(entry.path().join("environ")).unwrap_or_default();
        let has_mark = variables
            .split(|&byte| byte == 0)
            .any(|one| one == mark.as_bytes());
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok());
        marked.extend(pid.filter(|_| has_mark));
    }
    Ok(marked)
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Gone already, or killed: its workers go with it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
