//! A bee that does what it is told, whatever that is.

use std::{
    cell::Cell,
    io::Write,
    process::{self, Command},
    time::Duration,
};

use bytes::Bytes;
use mt_beehive::{BeeCx, TaskCx};
use mt_test_kit::{Folder, wait_until};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use crate::platform;

/// How a bee is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Birth {
    Well,
    /// Notes it there, and fails if fewer than so many were noted before.
    FailsAtFirst(Folder, usize),
    /// Notes it there, and does this.
    Does(Folder, Deed),
    /// Plays a part: see `hostile`.
    Plays(String),
}

/// What a task does to its process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Deed {
    Abort,
    Segfault,
    Overflow,
    Exit(i32),
    /// Gets this signal from itself.
    Signal(i32),
    Panic(String),
    /// Panics while it unwinds from a panic.
    PanicTwice,
    /// Panics with so many bytes.
    PanicLong(usize),
    CloseAll,
    /// Writes these bytes where results go, and goes on.
    Garble(Vec<u8>),
    /// Writes rubbish to standard output.
    Print,
    /// Blocks the only thread, for ever.
    Block,
}

impl Deed {
    fn act(self) {
        match self {
            Self::Abort => process::abort(),
            Self::Segfault => drop(platform::segfault().to_string()),
            Self::Overflow => drop(overflow(1).to_string()),
            Self::Exit(code) => process::exit(code),
            Self::Signal(number) => signal(number),
            Self::Panic(message) => panic!("{message}"),
            Self::PanicTwice => {
                let _bomb = Bomb;
                panic!("first");
            }
            Self::PanicLong(bytes) => panic!("{}", "é".repeat(bytes / 2)),
            Self::CloseAll => platform::close_everything(),
            Self::Garble(bytes) => platform::write_to_sockets(&bytes),
            Self::Print => std::io::stdout().write_all(&[0xff; 100_000]).unwrap(),
            Self::Block => std::thread::sleep(Duration::from_secs(1000)), // work: gets nowhere
        }
    }
}

fn signal(number: i32) {
    kill_process(getpid(), Signal::from_named_raw(number).unwrap()).unwrap();
}

#[expect(unconditional_recursion, reason = "to run out of stack")]
fn overflow(n: u64) -> u64 {
    std::hint::black_box([n; 1000])[1] + overflow(n + 1)
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("second");
    }
}

/// What does not serialise, or panics when it is to.
#[derive(Deserialize)]
pub(crate) struct Unserialisable {
    pub(crate) panics: bool,
}

impl Serialize for Unserialisable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        assert!(!self.panics, "it does not want to cross");
        Err(serde::ser::Error::custom("it never crosses"))
    }
}

/// Notes when it is dropped.
struct Note(Folder);

impl Drop for Note {
    fn drop(&mut self) {
        self.0.note("dropped", 1);
    }
}

pub(crate) struct Doer {
    inside: Cell<usize>,
    most_inside: Cell<usize>,
}

#[mt_beehive::worker(tasks = pub(crate) DoerTasks)]
impl Doer {
    async fn new(_cx: BeeCx, birth: Birth) -> Result<Self, String> {
        match birth {
            Birth::Well | Birth::Plays(_) => {}
            Birth::FailsAtFirst(folder, times) => {
                folder.note("births", 1);
                if folder.noted("births").len() <= times {
                    return Err("it is too early".into());
                }
            }
            Birth::Does(folder, deed) => {
                folder.note("births", 1);
                deed.act();
            }
        }
        Ok(Self {
            inside: Cell::new(0),
            most_inside: Cell::new(0),
        })
    }

    #[task]
    async fn add(&self, a: u64, b: u64) -> u64 {
        tokio::task::yield_now().await;
        a + b
    }

    #[task]
    async fn act(&self, deed: Deed) {
        deed.act();
    }

    /// Notes that it was begun, and then does it.
    #[task]
    async fn note_and_act(&self, folder: Folder, deed: Deed) {
        folder.note("begun", 1);
        deed.act();
    }

    #[task]
    fn pid(&self) -> u32 {
        process::id()
    }

    #[task]
    async fn unserialisable(&self, panics: bool) -> Unserialisable {
        Unserialisable { panics }
    }

    /// Never ends; notes when it was begun, and when it is dropped.
    #[task]
    async fn wait(&self, folder: Folder) {
        folder.note("begun", 1);
        let _note = Note(folder);
        std::future::pending().await
    }

    /// Notes that it was begun, and ends when it may go; returns which attempt it is.
    #[task]
    async fn wait_to_go(&self, cx: TaskCx, folder: Folder) -> u32 {
        folder.note("begun", 1);
        crate::scene::until(|| folder.exists("go")).await;
        cx.attempt
    }

    /// The same, and blocks the bee's thread meanwhile.
    #[task]
    fn block_until(&self, folder: Folder) {
        folder.note("begun", 1);
        wait_until(|| folder.exists("go"));
    }

    /// Starts a program that would outlive the bee, in a session of its own or not, and returns its id.
    #[task]
    fn leave(&self, detached: bool) -> u32 {
        let mut command = match detached {
            true => Command::new("setsid"),
            false => Command::new("sleep"),
        };
        command.args(if detached {
            &["sleep", "1000"][..]
        } else {
            &["1000"]
        });
        command.spawn().unwrap().id()
    }

    #[task]
    async fn echo(&self, bytes: Bytes) -> Bytes {
        bytes
    }

    /// Stays until `of` are here at once, or as many as may be; returns the most there were.
    #[task]
    async fn meet(&self, of: usize) -> usize {
        self.inside.set(self.inside.get() + 1);
        self.most_inside
            .set(self.most_inside.get().max(self.inside.get()));
        while self.most_inside.get() < of {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        self.inside.set(self.inside.get() - 1);
        self.most_inside.get()
    }
}
