//! The pipe and the memory that a worker's standard output is captured by.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::Command,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, ioctl_fionbio, read},
};

use super::{WritableMemory, files::shared_file};

/// What both sides have of a captured standard output: the end that is read from, which is never waited for, and a file
/// that outlives the worker.
#[derive(Debug)]
pub(crate) struct CapturedFiles {
    pub(crate) pipe: OwnedFd,
    pub(crate) file: OwnedFd,
}

impl CapturedFiles {
    /// Has a command write into a new pipe, and makes a file of so many bytes.
    pub(crate) fn new(command: &mut Command, bytes: usize) -> io::Result<Self> {
        let (ours, theirs) = io::pipe()?;
        ioctl_fionbio(&ours, true)?;
        command.stdout(theirs);
        Ok(Self {
            pipe: ours.into(),
            file: shared_file("mt-stdout", bytes)?,
        })
    }

    pub(super) fn as_fds(&self) -> [BorrowedFd<'_>; 2] {
        [self.pipe.as_fd(), self.file.as_fd()]
    }

    /// Worker: the memory of the file, so many bytes, which this process alone writes to, and nobody else reads as long as
    /// it lives.
    pub(crate) fn map(&self, bytes: usize) -> io::Result<WritableMemory> {
        if (rustix::fs::fstat(&self.file)?.st_size as u64) < bytes as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        WritableMemory::map(self.file.as_fd(), bytes)
    }

    /// Reads what is in the pipe without waiting, at least a byte; `None` when there is nothing, or nobody has the other
    /// end.
    pub(crate) fn read_now(&self, into: &mut [u8]) -> Option<usize> {
        loop {
            match read(&self.pipe, &mut *into) {
                Ok(0) => return None,
                Ok(n) => return Some(n),
                Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }

    /// Waits until there is something in the pipe; false when nobody has the other end.
    pub(crate) fn wait(&self) -> bool {
        let mut pipe = [PollFd::new(&self.pipe, PollFlags::IN)];
        loop {
            match poll(&mut pipe, None) {
                Ok(_) => return pipe[0].revents().contains(PollFlags::IN),
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}
