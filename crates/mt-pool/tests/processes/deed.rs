//! What an item makes its task do.

use std::{
    io::{Read, Write},
    process::{self, Command},
};

use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use crate::platform;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Deed {
    /// Returns this.
    Return(u64),
    /// Returns the worker's process id.
    Pid,
    Abort,
    Segfault,
    Overflow,
    Exit(i32),
    /// Gets this signal from itself.
    Signal(i32),
    /// Panics while it unwinds from a panic.
    PanicTwice,
    /// Panics with this message.
    Panic(String),
    /// Panics with so many bytes.
    PanicLong(usize),
    /// Panics with something that is no text.
    PanicOdd,
    CloseAll,
    /// Writes these bytes where its results go, and goes on.
    Garble(Vec<u8>),
    /// Writes rubbish to standard output.
    Print,
    /// Reads standard input to its end and returns how much it was.
    ReadInput,
    /// Starts a program that would outlive it, in a session of its own or not, and returns its id.
    Leave {
        detached: bool,
    },
    /// Starts one that does not detach itself and then dies.
    LeaveAndDie,
}

impl Deed {
    pub(crate) fn act(self) -> u64 {
        match self {
            Self::Return(n) => n,
            Self::Pid => u64::from(process::id()),
            Self::Abort => process::abort(),
            Self::Segfault => platform::segfault(),
            Self::Overflow => overflow(1),
            Self::Exit(code) => process::exit(code),
            Self::Signal(number) => signal(number),
            Self::PanicTwice => {
                let _bomb = Bomb;
                panic!("first");
            }
            Self::Panic(message) => panic!("{message}"),
            Self::PanicLong(bytes) => panic!("{}", "é".repeat(bytes / 2)),
            Self::PanicOdd => std::panic::panic_any(17_u64),
            Self::CloseAll => {
                platform::close_everything();
                0
            }
            Self::Garble(bytes) => {
                platform::write_to_sockets(&bytes);
                0
            }
            Self::Print => {
                let bytes = [0xff; 100_000];
                std::io::stdout().write_all(&bytes).map_or(1, |()| 0)
            }
            Self::ReadInput => {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).unwrap() as u64
            }
            Self::Leave { detached } => leave(detached),
            Self::LeaveAndDie => {
                leave(false);
                process::abort()
            }
        }
    }
}

fn leave(detached: bool) -> u64 {
    let words = ["setsid", "sleep", "1000"];
    let words = if detached { &words[..] } else { &words[1..] };
    let child = Command::new(words[0]).args(&words[1..]).spawn();
    u64::from(child.unwrap().id())
}

fn signal(number: i32) -> u64 {
    kill_process(getpid(), Signal::from_named_raw(number).unwrap()).unwrap();
    0
}

#[expect(unconditional_recursion, reason = "to run out of stack")]
pub(crate) fn overflow(n: u64) -> u64 {
    std::hint::black_box([n; 1000])[1] + overflow(n + 1)
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("second");
    }
}

#[mt_pool::task]
pub(crate) fn act(deed: Deed) -> u64 {
    deed.act()
}

#[mt_pool::task]
pub(crate) async fn act_async(deed: Deed) -> u64 {
    tokio::task::yield_now().await;
    deed.act()
}
