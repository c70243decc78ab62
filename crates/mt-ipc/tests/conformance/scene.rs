//! Workers of the tests, and listeners that see processes end.

use std::{net::TcpStream, time::Duration};

use mt_ipc::{
    ChildProcess, FrameReceiver, FrameSender, OutputReader, Progress, WorkerCommand, WorkerStderr,
    WorkerStdout, spawn,
};
use mt_proto::{Fingerprint, Frame, Kind, Limits, Welcome, WorkerId};
use mt_test_kit::{name_of, watchdog};
use tokio::{io::AsyncReadExt, net::TcpListener};

pub(crate) const BUILD: Fingerprint = Fingerprint(9);

/// Runs a test in a runtime, under a watchdog.
pub(crate) fn check<T: Future>(test: T) -> T::Output {
    let _watchdog = watchdog(name_of::<T>());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}

/// How to start a worker that plays this role, with a word for it.
pub(crate) fn role(role: &str, word: &str) -> WorkerCommand {
    let mut command = WorkerCommand::default();
    let args = ["roles::as_worker", "--exact", "--nocapture", role, word];
    command.args = args.map(Into::into).into();
    command.stdout = WorkerStdout::Null;
    command.stderr = WorkerStderr::Discard;
    command
}

/// A worker with its connection open.
pub(crate) struct Worker {
    pub(crate) process: ChildProcess,
    pub(crate) progress: Progress,
    pub(crate) sender: FrameSender,
    pub(crate) receiver: FrameReceiver,
    pub(crate) stderr: OutputReader,
}

impl Worker {
    /// A worker that has not said hello.
    pub(crate) async fn start(command: WorkerCommand) -> Self {
        let spawned = spawn(command).await.unwrap();
        let connection = spawned.connection;
        let (sender, receiver, writer) = connection.open(Limits::default(), Default::default());
        tokio::spawn(writer.run());
        Self {
            process: spawned.process,
            progress: spawned.progress,
            sender,
            receiver,
            stderr: spawned.stderr.unwrap(),
        }
    }

    /// A worker after its handshake.
    pub(crate) async fn ready(name: &str, word: &str) -> Self {
        let mut worker = Self::start(role(name, word)).await;
        worker.shake_hands().await.unwrap();
        worker
    }

    pub(crate) async fn shake_hands(&mut self) -> Result<(), mt_ipc::HandshakeError> {
        let first = self.receiver.recv().await.unwrap().unwrap();
        mt_ipc::accept(&self.sender, first, BUILD, welcome())
    }

    pub(crate) fn send(&self, body: impl Into<Vec<u8>>) {
        let frame = Frame::new(Kind::Items, body.into());
        self.sender.try_send(frame).unwrap();
    }

    /// The words of the next frame; `None` at the end.
    pub(crate) async fn told(&mut self) -> Option<String> {
        let frame = self.receiver.recv().await.unwrap()?;
        Some(String::from_utf8(frame.into_body().to_vec()).unwrap())
    }
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        worker: WorkerId(3),
        beat_interval: Duration::from_millis(500),
    }
}

/// Where processes show that they are there.
pub(crate) struct Register(TcpListener);

/// A process that is there, until it is not.
pub(crate) struct Registered(tokio::net::TcpStream);

impl Register {
    pub(crate) async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// What a process needs to know.
    pub(crate) fn port(&self) -> String {
        self.0.local_addr().unwrap().port().to_string()
    }

    /// Waits for so many processes.
    pub(crate) async fn next(&self, count: usize) -> Vec<Registered> {
        let mut all = Vec::new();
        while all.len() < count {
            all.push(Registered(self.0.accept().await.unwrap().0));
        }
        all
    }
}

/// Waits for the end of all.
pub(crate) async fn gone(all: Vec<Registered>) {
    for Registered(mut process) in all {
        // Some systems tell of an end as an error.
        while process.read(&mut [0; 16]).await.is_ok_and(|read| read > 0) {}
    }
}

/// In a process: it is there as long as what this returns.
pub(crate) fn register(port: &str) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap()
}
