//! Resource limits of a process, asked for before what would not only fail beyond them, but end the process.

use std::{fs, io};

use rustix::{
    param::page_size,
    process::{Resource, getrlimit},
};

/// What a run's threads need to start, and what allocations go on meanwhile.
const SPARE_BYTES: u64 = 24 << 20;

/// Fails where this process may not make files of so many bytes. The system would not only refuse it: by `SIGXFSZ` it
/// would end the process.
pub(super) fn files_may_have(bytes: u64) -> io::Result<()> {
    let limit = getrlimit(Resource::Fsize).current;
    match limit.filter(|&limit| limit < bytes) {
        None => Ok(()),
        Some(limit) => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "the memory that is shared with a worker counts as a file of {bytes} bytes, and files of this process may have {limit} (`ulimit -f`)"
            ),
        )),
    }
}

/// Fails where this process may hardly use more address space. The start of a thread would panic there, in code that
/// nobody can catch, and so would an allocation.
///
/// # Errors
/// [`OutOfMemory`](io::ErrorKind::OutOfMemory).
pub fn has_address_space() -> io::Result<()> {
    let Some(limit) = getrlimit(Resource::As).current else {
        return Ok(());
    };
    let used = used_address_space().unwrap_or(0);
    if used.saturating_add(SPARE_BYTES) <= limit {
        return Ok(());
    }
    let problem = format!(
        "this process uses {used} bytes of address space and may use {limit} (`ulimit -v`); {SPARE_BYTES} more are needed"
    );
    Err(io::Error::new(io::ErrorKind::OutOfMemory, problem))
}

/// `None` where the system does not tell.
fn used_address_space() -> Option<u64> {
    let sizes = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = sizes.split_ascii_whitespace().next()?.parse().ok()?;
    Some(pages.saturating_mul(page_size() as u64))
}
