//! What the tests need of the system: workers, processes beside them, and whether they are gone.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mt_ipc::{FrameReceiver, FrameSender, Spawned, WorkerCommand, WorkerStdout, spawn};
use mt_proto::{
    ContextStep, Fingerprint, FromExecutor, FromWorker, Hello, Limits, Notice, Parsed, ToWorker,
    Welcome, WorkerId,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use tokio::task::JoinHandle;

use crate::watchdog::watchdog;

pub(crate) const BUILD: Fingerprint = Fingerprint(7);

/// The variable that tells a test that it has its process to itself.
const ALONE: &str = "MT_TEST_ALONE";

/// Runs a test in a runtime, under a watchdog.
pub(crate) fn check<R>(name: &'static str, test: impl Future<Output = R>) -> R {
    let _watchdog = watchdog(name);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}

/// Runs a test in a process of its own, for tests about all children or descriptors of a process.
/// `name` is the test's full name.
pub(crate) fn check_alone(name: &'static str, test: impl Future<Output = ()>) {
    if env::var_os(ALONE).is_some() {
        return check(name, test);
    }
    let output = itself(name).env(ALONE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

/// This program again, running one of its tests.
pub(crate) fn itself(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]);
    command
}

/// How to start a worker that plays this role.
pub(crate) fn role(role: &str) -> WorkerCommand {
    let mut command = WorkerCommand::default();
    let args = ["roles::as_worker", "--exact", "--nocapture", role];
    command.args = args.map(Into::into).into();
    command.stdout = WorkerStdout::Null;
    command
}

/// A worker with its connection open and its hello not yet read.
pub(crate) struct Worker {
    pub(crate) process: mt_ipc::ChildProcess,
    pub(crate) progress: mt_ipc::Progress,
    pub(crate) sender: FrameSender,
    pub(crate) receiver: FrameReceiver,
    pub(crate) writer: JoinHandle<std::io::Result<()>>,
}

impl Worker {
    pub(crate) async fn start(command: WorkerCommand) -> Self {
        let Spawned {
            process,
            connection,
            progress,
            ..
        } = spawn(command).await.unwrap();
        let (sender, receiver, writer) = connection.open(Limits::default(), Default::default());
        Self {
            process,
            progress,
            sender,
            receiver,
            writer: tokio::spawn(writer.run()),
        }
    }

    /// A worker after its handshake.
    pub(crate) async fn ready(name: &str) -> Self {
        let mut worker = Self::start(role(name)).await;
        worker.shake_hands().await.unwrap();
        worker
    }

    pub(crate) async fn shake_hands(&mut self) -> Result<Hello, mt_ipc::HandshakeError> {
        let first = self.receive().await.unwrap();
        mt_ipc::accept(&self.sender, first, BUILD, welcome())
    }

    pub(crate) async fn receive(&mut self) -> Option<Parsed<FromWorker>> {
        let frame = self.receiver.recv().await.unwrap()?;
        Some(FromWorker::from_frame(frame).unwrap())
    }

    /// The words of the worker's next notice.
    pub(crate) async fn told(&mut self) -> String {
        let Some(Parsed::Role(frame)) = self.receive().await else {
            panic!("no notice");
        };
        match FromExecutor::from_frame(frame).unwrap() {
            FromExecutor::Notice(Notice::Context { message, .. }) => message,
            other => panic!("{other:?} is no notice"),
        }
    }

    pub(crate) async fn told_pids(&mut self) -> Vec<u32> {
        let pids = self.told().await;
        pids.split(' ').map(|pid| pid.parse().unwrap()).collect()
    }

    pub(crate) fn send(&self, message: ToWorker) {
        self.sender.try_send(message.into_frame()).unwrap();
    }
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        worker: WorkerId(3),
        beat_interval: Duration::from_millis(500),
    }
}

pub(crate) fn notice(words: impl Into<String>) -> FromExecutor {
    FromExecutor::Notice(Notice::Context {
        step: ContextStep::Open,
        message: words.into(),
    })
}

/// Starts a test of this program as the parent of workers and reads the pids it tells.
pub(crate) fn start_parent(test: &str, role: &str) -> (Child, Vec<u32>) {
    let mut child = itself(test)
        .arg(role)
        .env(ALONE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let line = out.lines().map_while(Result::ok).find_map(|line| {
        let (_, pids) = line.split_once("PIDS ")?;
        Some(pids.split(' ').map(|pid| pid.parse().unwrap()).collect())
    });
    (child, line.expect("the parent tells pids"))
}

/// The state of a process, as a letter; `None` when it is gone for good.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.chars().next()
}

/// The pids of a process's children, of all its threads.
pub(crate) fn children(pid: u32) -> String {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let all: String = threads
        .filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("children")).ok())
        .collect();
    all.trim().to_owned()
}

/// Waits until none of the processes runs any more. A zombie is the business of whoever adopted it.
pub(crate) fn wait_until_gone(pids: &[u32]) {
    let _watchdog = watchdog("a process that should be gone");
    for pid in pids {
        let pid = Pid::from_raw(pid.cast_signed()).unwrap();
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => {
                let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
                poll(&mut fds, None).unwrap();
            }
            Err(error) => assert_eq!(error, Errno::SRCH),
        }
    }
}

/// Looks again and again; the watchdog ends it if it never comes true.
pub(crate) fn wait_until(what: &'static str, mut is_true: impl FnMut() -> bool) {
    let _watchdog = watchdog(what);
    while !is_true() {
        std::thread::yield_now();
    }
}

/// Kills processes by number, for tests that play the accident.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}
