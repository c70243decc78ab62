//! What goes wrong, on purpose: from outside, and in tasks.

use std::{hint::black_box, io::Write, process};

use mt_test_kit::descriptors;
use rustix::{
    io::Errno,
    process::{PidfdFlags, Signal, getpid, kill_process, pidfd_getfd, pidfd_open},
};
use serde::{Deserialize, Serialize};

/// The memory that a worker may have here.
pub(super) const MAX_RSS_BYTES: u64 = 64 << 20;
/// The code that a task exits with.
const CODE: i32 = 77;
/// The code that a task exits with that leaves half a frame behind.
const CUT_CODE: i32 = 78;

/// A way to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Fault {
    Kill,
    Segv,
    /// By zero.
    Division,
    Abort,
    Exit,
    Overflow,
    Memory,
    /// Bytes that are no frame.
    Garbage,
    /// The beginning of a frame, and the end of the process.
    HalfFrame,
}

/// The faults that tasks commit themselves.
/// The last is for workers whose memory is limited.
pub(super) const INSIDE: [Fault; 7] = [
    Fault::Segv,
    Fault::Abort,
    Fault::Exit,
    Fault::Overflow,
    Fault::Garbage,
    Fault::HalfFrame,
    Fault::Memory,
];

/// The faults that are done to workers, with their signals. Most are the plain kill: it is what is timed.
pub(super) const OUTSIDE: [(Fault, Signal); 6] = [
    (Fault::Kill, Signal::KILL),
    (Fault::Kill, Signal::KILL),
    (Fault::Kill, Signal::KILL),
    (Fault::Kill, Signal::KILL),
    (Fault::Division, Signal::FPE),
    (Fault::Abort, Signal::ABORT),
];

impl Fault {
    /// What it is called in the report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Segv => "segv",
            Self::Division => "division",
            Self::Abort => "abort",
            Self::Exit => "exit",
            Self::Overflow => "overflow",
            Self::Memory => "memory",
            Self::Garbage => "garbage",
            Self::HalfFrame => "half_frame",
        }
    }

    /// Whether a death is told as what this is, in words.
    pub(super) fn explains(self, death: &str) -> bool {
        let overflowed = death.contains("overflowed its stack");
        match self {
            Self::Kill => death.contains("was killed by signal 9 (SIGKILL)"),
            Self::Segv => death.contains("was killed by signal 11 (SIGSEGV)"),
            Self::Division => death.contains("was killed by signal 8 (SIGFPE)"),
            Self::Abort => death.contains("was killed by signal 6 (SIGABRT)") && !overflowed,
            Self::Overflow => death.contains("was killed by signal 6 (SIGABRT)") && overflowed,
            Self::Exit => death.contains("exited with code 77"),
            // Whatever the worker's link says meanwhile is taken for the rest of the frame.
            Self::HalfFrame => {
                death.contains("exited with code 78") || death.contains("broke the protocol")
            }
            Self::Memory => death.contains("bytes of memory, may use"),
            Self::Garbage => death.contains("broke the protocol"),
        }
    }

    /// Ends this process in this way.
    pub(super) fn commit(self) -> ! {
        match self {
            Self::Kill => raise(Signal::KILL),
            Self::Division => raise(Signal::FPE),
            Self::Segv => {
                // What Rust does with the first is to let it happen again, for it might be an overflow.
                let _ = kill_process(getpid(), Signal::SEGV);
                raise(Signal::SEGV)
            }
            Self::Abort => process::abort(),
            Self::Exit => process::exit(CODE),
            Self::Overflow => {
                black_box(deeper(&[0; 1024]));
                process::exit(1)
            }
            Self::Memory => {
                let mut held = Vec::new();
                while held.len() < 4 * (MAX_RSS_BYTES >> 20) as usize {
                    held.push(black_box(vec![1_u8; 1 << 20]));
                }
                wait_for_the_end()
            }
            Self::Garbage => {
                let _ = write_to_connection(&[0xff; 64]);
                wait_for_the_end()
            }
            Self::HalfFrame => {
                // A body of 100 bytes of results, of which there are two.
                let _ = write_to_connection(&[100, 0, 0, 0, 0x25, 1, 2]);
                process::exit(CUT_CODE)
            }
        }
    }
}

fn raise(signal: Signal) -> ! {
    let _ = kill_process(getpid(), signal);
    wait_for_the_end()
}

/// Goes down until the stack is used up.
#[expect(unconditional_recursion, reason = "it is what is wanted")]
fn deeper(above: &[u64; 1024]) -> u64 {
    let here = black_box([above[0] + 1; 1024]);
    deeper(&here) + here[7]
}

/// Whoever has seen what was done ends this process.
fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
}

/// Writes to the sockets of this process, of which the connection is one.
fn write_to_connection(bytes: &[u8]) -> Result<(), Errno> {
    let this = pidfd_open(getpid(), PidfdFlags::empty())?;
    for (fd, target) in descriptors() {
        if target.to_string_lossy().starts_with("socket:") {
            let socket = pidfd_getfd(&this, fd, rustix::process::PidfdGetfdFlags::empty())?;
            let _ = std::fs::File::from(socket).write(bytes);
        }
    }
    Ok(())
}
