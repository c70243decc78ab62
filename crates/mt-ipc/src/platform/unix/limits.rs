//! Resource limits of a process, asked for before what would not only fail beyond them, but end the process.

use std::{fs, io, os::unix::net::UnixStream};

use rustix::{
    param::page_size,
    process::{Resource, getrlimit},
};

/// What a run's threads need to start, and what allocations go on meanwhile.
const SPARE_BYTES: u64 = 24 << 20;

/// What the first runtime of a process takes as it is made.
const DESCRIPTORS: usize = 6;

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

/// Fails where this process may hardly use more address space or memory, or has no descriptors left. The start of a
/// thread, or of a runtime, would panic there, in code that nobody can catch, and so would an allocation.
///
/// # Errors
/// [`OutOfMemory`](io::ErrorKind::OutOfMemory), and the system's.
pub fn has_room() -> io::Result<()> {
    let [all, data] = used_bytes().unwrap_or_default();
    for (resource, used, what, option) in [
        (Resource::As, all, "address space", 'v'),
        (Resource::Data, data, "memory for data", 'd'),
    ] {
        let limit = getrlimit(resource).current;
        if let Some(limit) = limit.filter(|&limit| used.saturating_add(SPARE_BYTES) > limit) {
            let problem = format!(
                "this process uses {used} bytes of {what} and may use {limit} (`ulimit -{option}`); {SPARE_BYTES} more are needed"
            );
            return Err(io::Error::new(io::ErrorKind::OutOfMemory, problem));
        }
    }
    let (one, another) = UnixStream::pair()?;
    let rest = (2..DESCRIPTORS).map(|_| one.try_clone());
    rest.collect::<io::Result<Vec<_>>>().map(|_| drop(another))
}

/// The address space this process uses, and how much of that is data; `None` where the system does not tell.
fn used_bytes() -> Option<[u64; 2]> {
    let sizes = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = sizes.split_ascii_whitespace();
    let bytes = |pages: &str| {
        Some(
            pages
                .parse::<u64>()
                .ok()?
                .saturating_mul(page_size() as u64),
        )
    };
    Some([bytes(pages.next()?)?, bytes(pages.nth(4)?)?])
}
