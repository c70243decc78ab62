//! Acts on memory and descriptors that belong to somebody else.
#![expect(unsafe_code, reason = "a task that goes mad is what is tested")]

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    mem::ManuallyDrop,
    net::Shutdown,
    os::{fd::FromRawFd, unix::net::UnixStream},
    path::{Path, PathBuf},
};

use mt_test_kit::descriptors;

/// Reads where nothing is.
pub(crate) fn segfault() -> u64 {
    let nowhere = std::ptr::without_provenance::<u64>(8);
    // SAFETY: none; the read faults, which ends the process: that is the point.
    unsafe { nowhere.read_volatile() }
}

/// Closes all descriptors but standard output and error.
pub(crate) fn close_everything() {
    for (fd, _) in descriptors()
        .into_iter()
        .filter(|(fd, _)| *fd > 2 || *fd == 0)
    {
        // SAFETY: none for its owners, whose next call fails: that is the point.
        drop(unsafe { fs::File::from_raw_fd(fd) });
    }
}

/// Writes to every socket of this process, once.
pub(crate) fn write_to_sockets(bytes: &[u8]) {
    let mut seen = BTreeSet::new();
    for (fd, target) in sockets() {
        if seen.insert(target) {
            // SAFETY: the descriptor was open a moment ago, and is not closed here.
            let mut file = ManuallyDrop::new(unsafe { fs::File::from_raw_fd(fd) });
            let _ = file.write(bytes);
        }
    }
}

/// Says nothing more through any socket of this process.
pub(crate) fn hang_up() {
    for (fd, _) in sockets() {
        // SAFETY: the descriptor was open a moment ago, and is not closed here.
        let socket = ManuallyDrop::new(unsafe { UnixStream::from_raw_fd(fd) });
        let _ = socket.shutdown(Shutdown::Write);
    }
}

/// The descriptors of this process that are sockets, and which.
pub(crate) fn sockets() -> impl Iterator<Item = (i32, PathBuf)> {
    let is_socket = |target: &Path| {
        target
            .as_os_str()
            .as_encoded_bytes()
            .starts_with(b"socket:")
    };
    let all = descriptors().into_iter();
    all.filter(move |(_, target)| is_socket(target))
}
