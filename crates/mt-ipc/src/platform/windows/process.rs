//! A child process as its parent holds it: by its job.
#![expect(
    unsafe_code,
    reason = "handles that a child owns, and calls that take them"
)]

use std::{
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, OwnedHandle},
    process::ExitStatus,
};

use tokio::process::Child;
use windows_sys::Win32::{
    Foundation::HANDLE,
    System::Threading::{GetProcessId, OpenProcess, PROCESS_DUP_HANDLE},
};

use super::{
    console,
    handles::{lent, owned},
    job::Job,
    tree,
};
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

/// Lets a process run that was started to wait for that.
pub(super) fn let_run(process: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is there.
    match unsafe { NtResumeProcess(process.as_raw_handle()) } {
        0.. => Ok(()),
        _ => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// A process below another one, which may have been started by it, with the right to copy handles from and to it.
pub(super) fn below(started: BorrowedHandle<'_>, pid: u32) -> io::Result<OwnedHandle> {
    // SAFETY: the handle is there.
    let above = unsafe { GetProcessId(started.as_raw_handle()) };
    if pid != above && !tree::descendants(above).contains(&pid) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: it takes numbers; the handle is new, and this process's alone.
    unsafe { owned(OpenProcess(PROCESS_DUP_HANDLE, 0, pid)) }
}

#[link(name = "ntdll")]
// SAFETY: this is the declaration of the system's library.
unsafe extern "system" {
    /// Lets all threads of a process go on. The only way that needs no handle of the first one, which the standard library
    /// does not give.
    fn NtResumeProcess(process: HANDLE) -> i32;
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self {
            code: status.code(),
            ..Self::default()
        }
    }
}
