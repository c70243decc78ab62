//! A bee that does what it is told, whatever that is.

use std::{
    cell::Cell,
    io::Write,
    process::{self, Command},
    thread,
    time::Duration,
};

use bytes::Bytes;
use mt_beehive::TaskCx;
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use crate::{
    platform,
    scene::{Folder, LONG, until, wait_until},
};

/// What is noted as `gone`.
pub(crate) const GONE: u64 = 1;

/// How a bee is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Birth {
    Well,
    /// The same, with a long text to be told of it.
    WellWith(String),
    /// Notes it there, and fails if fewer than so many were noted before.
    FailsAtFirst(Folder, usize),
    /// Notes it there, and does this.
    Does(Folder, Deed),
    /// Plays a part: see `hostile`.
    Plays(String),
    /// Is never made.
    Never,
    /// Takes so long to go, and notes there when it is [`GONE`].
    GoesSlowly(Folder, Duration),
}

/// What a task does to its process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Deed {
    Abort,
    /// Aborts unless somebody has done so there before.
    AbortFirst(Folder),
    /// Aborts after these last words.
    AbortSaying(String),
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
    /// Ends all connections of the process.
    ShutAll,
    /// Ends the bee's thread, and not her process.
    EndThread,
    /// Writes these bytes where results go, and goes on.
    Garble(Vec<u8>),
    /// Writes rubbish to standard output.
    Print,
    /// Blocks the only thread, for ever.
    Block,
    /// Holds so many bytes of memory from here on.
    Hold(usize),
}

impl Deed {
    fn act(self) {
        match self {
            Self::AbortFirst(folder) if !folder.first("aborted") => {}
            Self::Abort | Self::AbortFirst(_) => process::abort(),
            Self::AbortSaying(words) => {
                eprintln!("{words}");
                process::abort()
            }
            Self::Segfault => drop(platform::segfault().to_string()),
            Self::Overflow => drop(overflow(1).to_string()),
            Self::Exit(code) => process::exit(code),
            Self::Signal(number) => {
                kill_process(getpid(), Signal::from_named_raw(number).unwrap()).unwrap();
            }
            Self::Panic(message) => panic!("{message}"),
            Self::PanicTwice => {
                let _bomb = Bomb;
                panic!("first");
            }
            Self::PanicLong(bytes) => panic!("{}", "é".repeat(bytes / 2)),
            Self::CloseAll => platform::close_everything(),
            Self::ShutAll => {
                mt_test_kit::shut_sockets();
                thread::sleep(LONG); // work: until it is ended
            }
            Self::EndThread => mt_test_kit::end_thread(),
            Self::Garble(bytes) => platform::write_to_sockets(&bytes),
            Self::Print => std::io::stdout().write_all(&[0xff; 100_000]).unwrap(),
            Self::Block => thread::sleep(LONG), // work: gets nowhere
            // Not zeros, which need no room in a core dump.
            Self::Hold(bytes) => drop(Box::leak(vec![1_u8; bytes].into_boxed_slice())),
        }
    }
}

#[expect(unconditional_recursion, reason = "to run out of stack")]
fn overflow(n: u64) -> u64 {
    std::hint::black_box([n; 1000])[1] + overflow(n + 1)
}

fn dive(left: u64) -> u64 {
    let mut block = [0_u8; 64 << 10];
    std::hint::black_box(&mut block)[0] = left as u8;
    match left {
        0 => 0,
        _ => dive(left - 1) + u64::from(block[0] == left as u8),
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("it is dropped");
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

/// What may be wrong with a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Odd {
    Negative { by: u64 },
    Many(String),
}

/// A `Result` by another name.
type Res<T> = Result<T, Odd>;

/// Has no text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mute(pub(crate) u8);

/// Notes when it is dropped.
struct Note(Folder);

impl Drop for Note {
    fn drop(&mut self) {
        self.0.note("dropped", 1);
    }
}

/// Takes its time to be dropped.
struct Slow(Folder, Duration);

impl Drop for Slow {
    fn drop(&mut self) {
        thread::sleep(self.1); // work: what it closes
        self.0.note("gone", GONE);
    }
}

#[derive(Default)]
pub(crate) struct Doer {
    inside: Cell<usize>,
    most_inside: Cell<usize>,
    _slow: Option<Slow>,
}

#[mt_beehive::worker(tasks = pub(crate) DoerTasks)]
impl Doer {
    async fn new(birth: Birth) -> Result<Self, &'static str> {
        let mut doer = Self::default();
        match birth {
            Birth::Well | Birth::Plays(_) | Birth::WellWith(_) => {}
            Birth::FailsAtFirst(folder, times) => {
                folder.note("births", 1);
                if folder.noted("births").len() <= times {
                    return Err("it is too early");
                }
            }
            Birth::Does(folder, deed) => {
                folder.note("births", 1);
                deed.act();
            }
            Birth::Never => std::future::pending().await,
            Birth::GoesSlowly(folder, time) => doer._slow = Some(Slow(folder, time)),
        }
        Ok(doer)
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
    async fn fail(&self) -> Result<u64, &'static str> {
        Err("on purpose")
    }

    #[task]
    async fn root(&self, n: i64) -> Res<u64> {
        match u64::try_from(n) {
            Ok(n @ ..100) => Ok(n.isqrt()),
            Ok(_) => Err(Odd::Many("x".repeat(2))),
            Err(_) => Err(Odd::Negative {
                by: n.unsigned_abs(),
            }),
        }
    }

    #[task]
    async fn fail_mutely(&self) -> Result<(), Mute> {
        Err(Mute(7))
    }

    #[task]
    async fn fail_unserialisably(&self) -> Result<u64, Unserialisable> {
        Err(Unserialisable { panics: false })
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

    /// The same, and panics when it is dropped.
    #[task]
    async fn wait_with_a_bomb(&self, folder: Folder) {
        folder.note("begun", 1);
        let _bomb = Bomb;
        std::future::pending().await
    }

    /// Notes which attempt it is when it was begun and when it has ended, which is when it may go, and returns it.
    /// Tells who does it.
    #[task]
    async fn wait_to_go(&self, cx: TaskCx, folder: Folder) -> u32 {
        folder.note("begun", cx.attempt.into());
        cx.progress(&process::id());
        until(|| folder.exists("go")).await;
        folder.note("ended", cx.attempt.into());
        cx.attempt
    }

    /// Blocks the bee's thread until it may go; notes who was begun.
    #[task]
    fn block_until(&self, folder: Folder) {
        folder.note("begun", process::id().into());
        wait_until(|| folder.exists("go"));
    }

    /// Takes so long, and gives its thread back.
    #[task]
    async fn take_time(&self, time: Duration) {
        tokio::time::sleep(time).await; // work: as if it did something
    }

    /// Blocks the bee's thread for so long.
    #[task]
    fn block_for(&self, time: Duration) {
        thread::sleep(time); // work: on the bee's thread
    }

    /// Uses so much stack.
    #[task]
    fn dive(&self, mib: u64) -> u64 {
        dive(mib * 16) / 16
    }

    /// Where it is.
    #[task]
    fn folder(&self) -> std::path::PathBuf {
        std::env::current_dir().unwrap()
    }

    /// The slot of the process, and what a variable says.
    #[task]
    fn slot(&self, variable: String) -> (Option<u32>, Option<String>) {
        (mt_beehive::worker_slot(), std::env::var(variable).ok())
    }

    /// Leaves a thread of the runtime blocked for ever.
    #[task]
    async fn leave_a_thread(&self) -> u32 {
        let blocks = tokio::task::spawn_blocking(|| thread::sleep(LONG)); // work: never gets anywhere
        let late = tokio::time::timeout(Duration::from_millis(1), blocks).await;
        assert!(late.is_err());
        process::id()
    }

    /// Starts a program that would outlive the bee, in a session of its own or not, and returns its id.
    #[task]
    fn leave(&self, detached: bool) -> u32 {
        let (program, sleep) = match detached {
            true => ("setsid", &["sleep", "1000"][..]),
            false => ("sleep", &["1000"][..]),
        };
        Command::new(program).args(sleep).spawn().unwrap().id()
    }

    #[task]
    async fn echo(&self, bytes: Bytes) -> Bytes {
        bytes
    }

    /// Stays until `of` are here at once, or as many as may be; returns the most there were.
    #[task]
    async fn meet(&self, of: usize) -> usize {
        let inside = self.inside.get() + 1;
        self.inside.set(inside);
        self.most_inside.set(self.most_inside.get().max(inside));
        while self.most_inside.get() < of {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        self.inside.set(self.inside.get() - 1);
        self.most_inside.get()
    }
}
