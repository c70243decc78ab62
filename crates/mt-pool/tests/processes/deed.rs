//! What an item makes its task do.

use std::{io::Write, path::PathBuf, process, thread, time::Duration};

use mt_pool::task;
use mt_test_kit::{Signal, detached, signal, sleeper, wait_until};
use serde::{Deserialize, Serialize};

use crate::{platform, tasks::FOR_EVER};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Deed {
    /// Returns this.
    Return(u64),
    /// Returns the worker's process id.
    Pid,
    /// Takes so long.
    Sleep(Duration),
    /// Waits until there is something at this path.
    Wait(PathBuf),
    /// Never ends; an async call lets others run meanwhile.
    Never,
    /// Never ends, and never lets go of its thread.
    Block,
    /// Uses the processor for ever.
    Spin,
    Abort,
    Segfault,
    Overflow,
    FreeTwice,
    Exit(i32),
    /// Ends its thread, and not its process.
    EndThread,
    /// Gets this signal from itself.
    Signal(i32),
    /// The same, and goes on.
    TakeSignal(i32),
    /// Panics while it unwinds from a panic.
    PanicTwice,
    /// Panics with this message.
    Panic(String),
    /// Panics with so many bytes.
    PanicLong(usize),
    /// Panics with something that is no text.
    PanicOdd,
    /// A panic that its own code catches, and then an abort.
    CaughtPanic,
    CloseAll,
    /// Ends all connections of its process.
    ShutAll,
    /// Writes these bytes where its results go, and goes on.
    Garble(Vec<u8>),
    /// Writes these bytes to standard error, and then does this.
    Say(Vec<u8>, Box<Deed>),
    /// Writes so many lines of 32 bytes to standard error, and then does this.
    SayLines(usize, Box<Deed>),
    /// Starts a program that would outlive it, in a session of its own or not, and returns its id.
    Leave {
        detached: bool,
    },
    /// Starts one that does not detach itself and then dies.
    LeaveAndDie,
    /// Leaves a child in a session of its own that writes its id to standard error and holds that for ever.
    LeaveWriter,
}

impl Deed {
    pub(crate) fn act(self) -> u64 {
        match self {
            Self::Return(n) => return n,
            Self::Pid => return u64::from(process::id()),
            Self::Sleep(time) => thread::sleep(time), // work: a call that takes long
            Self::Wait(path) => wait_until(|| path.exists()),
            Self::Never | Self::Block => thread::sleep(FOR_EVER), // work: never gets anywhere
            Self::Spin => loop {
                std::hint::spin_loop();
            },
            Self::Abort => process::abort(),
            Self::Segfault => return platform::segfault(),
            Self::Overflow => return overflow(1),
            Self::FreeTwice => platform::free_twice(),
            Self::Exit(code) => process::exit(code),
            Self::EndThread => platform::end_thread(),
            Self::Signal(number) | Self::TakeSignal(number) => {
                signal(process::id(), Signal::from_named_raw(number).unwrap());
            }
            Self::PanicTwice => {
                let _bomb = Bomb;
                panic!("the first\u{7}");
            }
            Self::Panic(message) => panic!("{message}"),
            Self::PanicLong(bytes) => panic!("{}", "é".repeat(bytes / 2)),
            Self::PanicOdd => std::panic::panic_any(17_u64),
            Self::CaughtPanic => {
                let _ = std::panic::catch_unwind(|| panic!("caught"));
                process::abort();
            }
            Self::CloseAll => platform::close_everything(),
            Self::ShutAll => {
                platform::shut_sockets();
                thread::sleep(FOR_EVER); // work: until it is ended
            }
            Self::Garble(bytes) => platform::write_to_sockets(&bytes),
            Self::Say(bytes, then) => {
                std::io::stderr().write_all(&bytes).unwrap();
                return then.act();
            }
            Self::SayLines(count, then) => {
                let mut out = std::io::stderr().lock();
                (0..count).for_each(|n| out.write_all(format!("{n:31}\n").as_bytes()).unwrap());
                return then.act();
            }
            Self::Leave { detached } => return u64::from(leave(detached)),
            Self::LeaveAndDie => {
                leave(false);
                process::abort()
            }
            Self::LeaveWriter => {
                platform::leave_writer();
                process::abort()
            }
        }
        0
    }

    /// Lets others run while it sleeps or waits.
    pub(crate) async fn act_async(self) -> u64 {
        match self {
            Self::Never => std::future::pending().await,
            Self::Sleep(time) => tokio::time::sleep(time).await, // work: waits as a task would
            deed => return deed.act(),
        }
        0
    }
}

fn leave(is_detached: bool) -> u32 {
    let mut program = match is_detached {
        true => detached(&sleeper()),
        false => sleeper(),
    };
    program.spawn().unwrap().id()
}

#[expect(unconditional_recursion, reason = "to run out of stack")]
fn overflow(n: u64) -> u64 {
    std::hint::black_box([n; 1000])[1] + overflow(n + 1)
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the second");
    }
}

#[task]
pub(crate) fn act(deed: Deed) -> u64 {
    deed.act()
}

/// Lets others run before.
#[task]
pub(crate) async fn act_async(deed: Deed) -> u64 {
    tokio::task::yield_now().await;
    deed.act_async().await
}

/// Does it where nothing can be returned: in an init.
#[task]
pub(crate) fn act_first(deed: Deed) {
    deed.act();
}
