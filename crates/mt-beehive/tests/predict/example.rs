//! Running the built example, for a minute at most.

use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use mt_test_kit::{Running, example};

/// A run of the example that is being described.
pub(crate) struct Example(Command);

impl Example {
    pub(crate) fn new() -> Self {
        Self(example("predict"))
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn start(mut self) -> Running {
        Running::start(&mut self.0)
    }

    /// Runs it to its end.
    pub(crate) fn output(self) -> Output {
        self.start().output()
    }
}

/// How many sockets a process has. Each task that waits for the archive has one in the queen's process.
pub(crate) fn sockets_of(pid: u32) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    let links = descriptors
        .flatten()
        .filter_map(|it| fs::read_link(it.path()).ok());
    let is_socket = |link: &PathBuf| link.as_os_str().as_encoded_bytes().starts_with(b"socket:");
    links.filter(is_socket).count()
}
