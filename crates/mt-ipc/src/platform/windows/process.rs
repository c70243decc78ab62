//! A child process as its parent holds it: by its job.
#![expect(unsafe_code, reason = "a handle that a child owns")]

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
        // SAFETY: the child has it open until it is reaped, and is not waited for here.
        let job = Job::of(unsafe { lent(&child, handle) })?;
        Ok(Self {
            child,
            pid,
            job,
            reaped: false,
        })
    }

    pub(super) fn handle(&self) -> Option<BorrowedHandle<'_>> {
        let handle = self.child.raw_handle()?;
        // SAFETY: the child has it open until it is reaped, which needs the process for itself alone.
        Some(unsafe { lent(&self.child, handle) })
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
        status.map(Exit::from).unwrap_or_default()
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self {
            code: status.code(),
            ..Self::default()
        }
    }
}
