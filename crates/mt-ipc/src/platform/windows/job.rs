//! A worker and all that it starts, as one thing that can be ended.
#![expect(unsafe_code, reason = "calls of the system that take and give handles")]

use std::{
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, OwnedHandle},
    ptr,
};

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION,
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectExtendedLimitInformation, SetInformationJobObject, TerminateJobObject,
};

use super::handles::{checked, owned};

/// The code that ends with a job have: what a shell says of those that are killed.
pub(super) const KILLED: u32 = 128 + 9;

/// Ends all its processes when it is dropped, and when this process ends, however that is.
#[derive(Debug)]
pub(super) struct Job(OwnedHandle);

impl Job {
    /// A job of a process that has started nothing yet.
    pub(super) fn of(process: BorrowedHandle<'_>) -> io::Result<Self> {
        // SAFETY: it has no name and no attributes; the handle is new, and this process's alone.
        let job = Self(unsafe { owned(CreateJobObjectW(ptr::null(), ptr::null())) }?);
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        // Who crashes ends at once: no window asks anybody.
        limits.BasicLimitInformation.LimitFlags =
            JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
        // SAFETY: it is of the kind and the length that are said.
        checked(unsafe {
            SetInformationJobObject(
                job.0.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                (&raw const limits).cast(),
                size_of_val(&limits) as u32,
            )
        })?;
        // SAFETY: both handles are there.
        checked(unsafe {
            AssignProcessToJobObject(job.0.as_raw_handle(), process.as_raw_handle())
        })?;
        Ok(job)
    }

    /// Ends all that are in it. Returns whether the system permits that.
    pub(super) fn kill(&self) -> bool {
        // SAFETY: the handle is there.
        unsafe { TerminateJobObject(self.0.as_raw_handle(), KILLED) != 0 }
    }
}
