//! What a worker is known by: a name, or an argument if another program is put before it, which starts it by `exec`, or as
//! a child of its own.

use std::{env, ffi::OsString};

/// The name a worker is started under (`argv[0]`), alone or with the program's behind it. The name marks the
/// process as a worker without leaving anything in the environment that its own children would inherit, and
/// `ps` shows it.
pub(super) const WORKER_NAME: &str = "mt-worker";

/// The first argument of a worker that a wrapper starts: a name that it is started under would be the wrapper's.
pub(crate) const WRAPPED_MARK: &str = "mt-worker:wrapped";

/// Whether this process was started by [`spawn`](crate::spawn()): it carries a worker's name, or is started by a wrapper as one.
#[must_use]
pub fn is_worker_process() -> bool {
    let name = env::args_os().next().unwrap_or_default();
    let title = name.as_encoded_bytes().strip_prefix(WORKER_NAME.as_bytes());
    title.is_some_and(|rest| rest.is_empty() || rest.starts_with(b" (")) || is_wrapped()
}

/// Whether this process was started through a wrapper, or by a system that knows no other mark.
pub(super) fn is_wrapped() -> bool {
    env::args_os().nth(1).is_some_and(|arg| arg == WRAPPED_MARK)
}

/// The arguments of this process, behind its name, that are its program's.
pub fn own_args() -> impl Iterator<Item = OsString> {
    let args = env::args_os().skip(1);
    args.filter(|arg| arg != WRAPPED_MARK)
}
