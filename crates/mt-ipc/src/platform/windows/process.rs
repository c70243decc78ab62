//! A child process as its parent holds it: by its job.

use std::{io, os::windows::io::BorrowedHandle, process::ExitStatus};

use tokio::process::Child;

use super::{console, handles::lent, job::Job};
use crate::Exit;

/// A child and all that is below it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: u32,
    job: Job,
    reaped: bool,
}

impl Process {
    pub(crate) fn new(child: Child) -> io::Result<Self> {
        let handle = child.raw_handle().ok_or(io::ErrorKind::NotFound)?;
        let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
        let job = Job::of(lent(&child, handle))?;
        Ok(Self {
            child,
            pid,
            job,
            reaped: false,
        })
    }

    pub(super) fn handle(&self) -> Option<BorrowedHandle<'_>> {
        let handle = self.child.raw_handle()?;
        Some(lent(&self.child, handle))
    }

    pub(crate) fn id(&self) -> u32 {
        self.pid
    }

    pub(crate) fn kill(&mut self) -> bool {
        self.reaped || self.job.kill()
    }

    pub(crate) fn terminate(&mut self) {
        if !self.reaped && !console::interrupt(self.pid) {
            self.kill();
        }
    }

    /// Waits for the end of the process, and ends what it has left. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> Exit {
        let status = self.child.wait().await.ok();
        self.job.kill();
        self.reaped = true;
        status.map(exit_of).unwrap_or_default()
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    Exit {
        code: status.code(),
        ..Exit::default()
    }
}
