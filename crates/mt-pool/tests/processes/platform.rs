//! What a misbehaving task does and safe Rust can't, and what differs between systems.

#[cfg(not(target_os = "linux"))]
#[path = "platform/elsewhere.rs"]
mod linux;
#[cfg(target_os = "linux")]
mod linux;
mod raw;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use mt_test_kit::{end_thread, shut_sockets};
pub(crate) use raw::{free_twice, linger_at_exit, print_by_c, segfault, set_variable};
pub(crate) use system::{
    EXITS_0, EXITS_1, LINE_END, SAY_NOTHING, SAYS_AND_EXITS_3, SLEEPS, close_everything, echo,
    flag_on, leave_writer, marked_as_worker, prints_variable, sum_of_pages, with_stderr,
    with_stdout, write_to_sockets, write_to_stdout,
};

/// Whether what a process has open is listed in no time.
pub(crate) const LISTS_QUICKLY: bool = cfg!(unix);

/// Whether C code writes each line when it has ended, and does not keep it until the end of a call.
pub(crate) const C_WRITES_LINES: bool = cfg!(unix);

/// Whether a process can send a signal to another one.
pub(crate) const HAS_SIGNALS: bool = cfg!(unix);

/// Whether a blob is mapped by whoever receives it, and not read.
pub(crate) const MAPS_BLOBS: bool = cfg!(target_os = "linux");
