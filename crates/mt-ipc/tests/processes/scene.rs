//! Workers of the tests, and runtimes to start them from.

use std::time::Duration;

use mt_ipc::{
    ChildProcess, Exit, FrameReceiver, FrameSender, Progress, Spawned, WorkerCommand, WorkerStdout,
    spawn,
};
use mt_proto::{
    ContextStep, Fingerprint, FromExecutor, FromWorker, Limits, Notice, ToWorker, Welcome, WorkerId,
};
use mt_test_kit::{alone, name_of, watchdog};
use tokio::task::JoinHandle;

pub(crate) const BUILD: Fingerprint = Fingerprint(7);

/// Runs a test in a runtime, under a watchdog.
pub(crate) fn check<T: Future>(test: T) -> T::Output {
    let _watchdog = watchdog(name_of::<T>());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}

/// Runs a test in a process of its own, for tests about all children or descriptors of a process.
pub(crate) fn check_alone<T: Future<Output = ()>>(test: T) {
    alone(name_of::<T>(), || check(test));
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
    pub(crate) process: ChildProcess,
    pub(crate) progress: Progress,
    pub(crate) sender: FrameSender,
    pub(crate) receiver: FrameReceiver,
    pub(crate) writer: JoinHandle<std::io::Result<()>>,
}

impl Worker {
    pub(crate) async fn start(command: WorkerCommand) -> Self {
        Self::open(spawn(command).await.unwrap())
    }

    pub(crate) fn open(spawned: Spawned) -> Self {
        let connection = spawned.connection;
        let (sender, receiver, writer) = connection.open(Limits::default(), Default::default());
        Self {
            process: spawned.process,
            progress: spawned.progress,
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

    pub(crate) async fn shake_hands(&mut self) -> Result<(), mt_ipc::HandshakeError> {
        let first = self.receiver.recv().await.unwrap().unwrap();
        mt_ipc::accept(&self.sender, first, BUILD, welcome())
    }

    pub(crate) async fn receive(&mut self) -> Option<FromWorker> {
        let frame = self.receiver.recv().await.unwrap()?;
        Some(FromWorker::from_frame(frame).unwrap())
    }

    /// The words of the worker's next notice.
    pub(crate) async fn told(&mut self) -> String {
        let frame = self.receiver.recv().await.unwrap().expect("a notice");
        match FromExecutor::from_frame(frame).unwrap() {
            FromExecutor::Notice(Notice::Context { message, .. }) => message,
            other => panic!("{other:?} is no notice"),
        }
    }

    pub(crate) async fn told_pids(&mut self) -> Vec<u32> {
        let pids = self.told().await;
        pids.split(' ').map(|pid| pid.parse().unwrap()).collect()
    }

    /// Waits for its end after it was killed.
    pub(crate) async fn kill(&mut self) -> Exit {
        self.process.kill();
        self.process.wait().await
    }

    /// Closes the connection.
    pub(crate) async fn hang_up(self) -> ChildProcess {
        self.writer.abort();
        let _ = self.writer.await;
        self.process
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
