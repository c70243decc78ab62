//! What the workers of these tests do.

use std::{
    env,
    io::{Read, Write},
    process::{self, Command, Stdio},
};

use mt_ipc::{FrameReceiver, FrameSender, attach};
use mt_proto::{Fingerprint, Frame, Kind, Limits};
use tokio::task::JoinHandle;

use crate::scene::{BUILD, Worker, check, register, welcome};

/// Where a worker process starts. For the test runner itself this is nothing.
#[test]
fn as_worker() {
    if mt_ipc::is_worker_process() {
        mt_ipc::start_clean();
        let args: Vec<String> = env::args().collect();
        let [.., role, word] = &args[..] else {
            panic!("{args:?} are no role and a word for it")
        };
        check(play(role, word));
        process::exit(0);
    }
}

/// What is put before the role of a process that is no worker.
const AS_OTHER: &str = "as-other:";

/// Where a process starts that is no worker: another parent, a program that a task has started.
#[test]
fn as_other() {
    let args: Vec<String> = env::args().collect();
    let [.., role, port] = &args[..] else { return };
    match role.strip_prefix(AS_OTHER) {
        Some("parent") => check(async {
            let _here = register(port);
            let worker = Worker::ready("family", port).await;
            // Until it is killed; the worker with it.
            std::future::pending::<()>().await;
            drop(worker);
        }),
        Some("idle") => idle(port),
        _ => {}
    }
}

/// Is there until it is killed.
fn idle(port: &str) {
    let mut here = register(port);
    // Nobody ever writes.
    let _ = here.read(&mut [0]);
}

/// How to start this program as something else than a worker.
pub(crate) fn other(role: &str, port: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    let role = format!("{AS_OTHER}{role}");
    command.args(["roles::as_other", "--exact", "--nocapture", &role, port]);
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

async fn play(role: &str, word: &str) {
    match role {
        "other-build" => {
            let mut own = Own::open();
            let refused = mt_ipc::greet(&own.sender, &mut own.receiver, Fingerprint(1)).await;
            own.tell(refused.unwrap_err().to_string());
            return own.finish().await;
        }
        "mutters" => {
            std::io::stderr().write_all(&[b'a'; 100_000]).unwrap();
            std::io::stderr().write_all(b"last words").unwrap();
            process::abort();
        }
        _ => {}
    }
    let mut own = Own::open();
    let welcomed = mt_ipc::greet(&own.sender, &mut own.receiver, BUILD).await;
    assert_eq!(welcomed.unwrap(), welcome());
    match role {
        "echo" => own.echo().await,
        "exit" => process::exit(word.parse().unwrap()),
        "abort" => process::abort(),
        "segfault" => crate::platform::crash(),
        "stack" => own.tell(deep(&[0; 4096]).to_string()),
        "stdin" => {
            let mut read = Vec::new();
            let ended = std::io::stdin().read_to_end(&mut read);
            own.tell(format!("{ended:?}"));
            own.finish().await;
        }
        "family" => {
            let mut below = other("idle", word).spawn().unwrap();
            let _here = register(word);
            own.tell("here");
            own.receiver.recv().await.unwrap();
            let _ = below.wait();
        }
        "leaves" => {
            // Nobody waits for it, as when a task forgets what it has started.
            std::mem::forget(other("idle", word).spawn());
            own.tell("here");
            own.receiver.recv().await.unwrap();
        }
        "talks-and-dies" => {
            own.progress.set_started(11);
            for n in 0..200 {
                own.tell(format!("{n}"));
            }
            own.sender.close();
            own.writer.await.unwrap().unwrap();
            process::abort();
        }
        other => panic!("no role {other}"),
    }
}

/// Ends by the end of its stack.
fn deep(above: &[u8; 4096]) -> u8 {
    let here = std::hint::black_box([above[0]; 4096]);
    match here[0] {
        0 => deep(&here) + std::hint::black_box(here)[1],
        more => more,
    }
}

/// The worker's side of a connection.
struct Own {
    sender: FrameSender,
    receiver: FrameReceiver,
    writer: JoinHandle<std::io::Result<()>>,
    progress: mt_ipc::Progress,
}

impl Own {
    fn open() -> Self {
        let attached = attach().unwrap();
        let connection = attached.connection;
        let (sender, receiver, writer) = connection.open(Limits::default(), Default::default());
        Self {
            sender,
            receiver,
            writer: tokio::spawn(writer.run()),
            progress: attached.progress,
        }
    }

    fn tell(&self, words: impl Into<String>) {
        let frame = Frame::new(Kind::Results, words.into());
        self.sender.try_send(frame).unwrap();
    }

    async fn finish(self) {
        self.sender.close();
        self.writer.await.unwrap().unwrap();
    }

    /// Sends back what comes until there is no more.
    async fn echo(mut self) {
        while let Some(frame) = self.receiver.recv().await.unwrap() {
            self.sender.try_send(frame).unwrap();
        }
        self.finish().await;
    }
}
