//! What the workers of these tests do.

use std::{
    env,
    io::{Read, Write},
    process::{self, Command, Stdio},
};

use mt_ipc::{Attached, FrameReceiver, FrameSender, Progress, Writer, attach};
use mt_proto::{Fingerprint, FromWorker, Limits};
use mt_test_kit::{Scene, Signal};
use tokio::task::JoinHandle;

use crate::scene::{BUILD, check, notice};

/// The worker's side of a connection.
struct Own {
    sender: FrameSender,
    receiver: FrameReceiver,
    writer: JoinHandle<std::io::Result<()>>,
    progress: Progress,
}

/// Where a worker process starts. For the test runner itself this is nothing.
#[test]
fn as_worker() {
    if mt_ipc::is_worker_process() {
        mt_ipc::start_clean();
        let role = env::args().next_back().unwrap();
        check(play(&role));
        process::exit(0);
    }
}

/// Where a worker's grandchild starts that leaves its process group.
#[test]
fn as_stray() {
    if mt_test_kit::role() == "stray" {
        rustix::process::setsid().unwrap();
        let mut below = idle().spawn().unwrap();
        println!("PIDS {}", below.id());
        below.wait().unwrap();
    }
}

/// A program that does nothing, and holds none of the test runner's pipes if it is left.
fn idle() -> Command {
    let mut idle = Command::new("sleep");
    idle.arg("1000").stdout(Stdio::null()).stderr(Stdio::null());
    idle
}

async fn play(role: &str) {
    match role {
        "never-attach" => std::future::pending().await,
        "other-build" => return other_build().await,
        "out-of-turn" => return out_of_turn().await,
        "mutters" => return mutter(b"\xffin the middle of"),
        "shouts" => return mutter(&[b'a'; 3_000_000]),
        _ => {}
    }
    let mut own = Own::open();
    let welcome = mt_ipc::greet(&own.sender, &mut own.receiver, BUILD).await;
    assert_eq!(welcome.unwrap(), crate::scene::welcome());
    match role {
        "echo" => own.echo().await,
        "exit-42" => process::exit(42),
        "abort" => process::abort(),
        // More than once: the standard library takes the first for a stack overflow that is none.
        "segfault" => loop {
            mt_test_kit::signal(process::id(), Signal::SEGV);
        },
        "count" => own.count().await,
        "descriptors" => own.descriptors().await,
        "chatter" => own.chatter().await,
        "family" => own.family().await,
        "says-bye" => own.say_bye().await,
        "large" => own.hold_much().await,
        "wedged" => loop {
            std::hint::spin_loop();
        },
        other => panic!("no role {other}"),
    }
}

/// Writes without a hello, and dies without a goodbye.
fn mutter(words: &[u8]) {
    std::io::stderr().write_all(words).unwrap();
    process::abort();
}

async fn other_build() {
    let mut own = Own::open();
    let refused = mt_ipc::greet(&own.sender, &mut own.receiver, Fingerprint(0xbad)).await;
    let text = refused.unwrap_err().to_string();
    own.tell(text);
    own.finish().await;
}

async fn out_of_turn() {
    let own = Own::open();
    own.tell("no hello");
    std::future::pending().await
}

impl Own {
    fn open() -> Self {
        let Attached {
            connection,
            progress,
            ..
        } = attach().unwrap();
        let (sender, receiver, writer): (_, _, Writer) =
            connection.open(Limits::default(), Default::default());
        Self {
            sender,
            receiver,
            writer: tokio::spawn(writer.run()),
            progress,
        }
    }

    fn tell(&self, words: impl Into<String>) {
        self.sender.try_send(notice(words).into_frame()).unwrap();
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

    /// Has so much memory that its end takes the system some milliseconds.
    async fn hold_much(mut self) {
        let much = vec![1_u8; 256 << 20];
        self.tell("here");
        self.receiver.recv().await.unwrap();
        drop(much);
    }

    async fn count(mut self) {
        self.progress.set_started(11);
        self.progress.set_finished(10);
        (0..5).for_each(|_| self.progress.turn());
        self.tell("counted");
        self.receiver.recv().await.unwrap();
    }

    /// Tells what its standard input is, what reading it gives, and what a program it starts sees.
    async fn descriptors(self) {
        let mut input = String::new();
        std::io::stdin().read_to_string(&mut input).unwrap();
        assert_eq!(input, "");
        let stdin = std::fs::read_link("/proc/self/fd/0").unwrap();
        self.tell(stdin.display().to_string());
        let output = Command::new("ls").args(["-l", "/proc/self/fd"]).output();
        self.tell(String::from_utf8(output.unwrap().stdout).unwrap());
        self.finish().await;
    }

    async fn chatter(self) {
        let mut out = std::io::stdout();
        for _ in 0..100 {
            out.write_all(b"\0\x01\xff\x1b[2Jgarbage\n").unwrap();
        }
        out.flush().unwrap();
        self.echo().await;
    }

    /// Starts a program in its own group and one that leaves it, tells their pids, and waits.
    #[expect(clippy::zombie_processes, reason = "that they are left is the test")]
    async fn family(mut self) {
        let near = idle().spawn().unwrap();
        let mut stray = Scene::start(&mut Scene::of("roles::as_stray", "stray"));
        stray.read_until("PIDS");
        let pids = [process::id(), near.id(), stray.pid(), stray.pids[0]];
        self.tell(pids.map(|pid| pid.to_string()).join(" "));
        let _ = self.receiver.recv().await;
        std::future::pending::<()>().await;
    }

    /// Ends both directions in good order and then takes its time to exit.
    async fn say_bye(mut self) {
        self.sender.try_send(FromWorker::Bye.into_frame()).unwrap();
        self.sender.close();
        self.writer.await.unwrap().unwrap();
        assert_eq!(self.receiver.recv().await.unwrap(), None);
        drop(self.receiver);
        std::thread::sleep(std::time::Duration::from_millis(100)); // work: an exit hook that takes its time
        process::exit(7);
    }
}
