//! What of programs is neither Linux nor Windows.

use std::{os::unix::process::CommandExt, process::Command};

/// The same command in a process group of its own: there is no program that makes a session.
#[must_use]
pub fn detached(command: &Command) -> Command {
    let mut other = Command::new(command.get_program());
    other.args(command.get_args()).process_group(0);
    other
}

/// Whether this is the system that is called so.
pub(crate) fn is_this(system: &str) -> bool {
    ["macos", "unix"].contains(&system)
}
