//! What other systems have and Windows has not, or has in no need of us.

use std::{borrow::Cow, io};

use super::super::Resource;

/// Nothing is inherited but what is named.
pub fn close_inherited() {}

/// A process can't be copied.
#[inline]
pub fn end_copy() {}

/// What a worker has started is in its job, and ends with that.
pub fn end_descendants() {}

/// Whether there is room for what a run needs to start; Windows has no such limits.
///
/// # Errors
/// None.
pub fn has_room() -> io::Result<()> {
    Ok(())
}

/// Whether a termination that others ask for is ignored; there are no signals here.
#[must_use]
pub fn ignores_terminate_of_others() -> bool {
    false
}

/// Whether this process ignores a signal; there are no signals here.
#[must_use]
pub fn is_ignored(_signal: i32) -> bool {
    false
}

/// The stack of this process's first thread, as the linker makes it where nobody asks for another.
#[must_use]
pub fn main_stack_bytes() -> u64 {
    1 << 20
}

/// No such limit can be given: [`ResourceLimits::beyond_reach`](super::super::ResourceLimits::beyond_reach) says so before
/// anything is started.
pub(crate) fn most_of(_resource: Resource) -> Option<u64> {
    Some(0)
}

pub(crate) fn apply_limit(_resource: Resource, _value: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nobody is ended where there is no memory left: who asks for it gets none.
pub(crate) fn end_before_this(_worker: u32) {}

/// A child's exit code stays until its handle is closed.
pub(crate) fn keep_exit_statuses() {}

pub(crate) fn signal_name(_signal: i32) -> Option<Cow<'static, str>> {
    None
}

pub(crate) fn has_too_many_on_the_way(_error: &io::Error) -> bool {
    false
}
