//! Running the built example, for a minute at most.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Output},
};

use mt_test_kit::{Running, example};

/// A run of the example that is being described.
pub(crate) struct Example(Command);

impl Example {
    pub(crate) fn new(tree: &Path) -> Self {
        let mut command = example("digest");
        command.arg(tree);
        Self(command)
    }

    pub(crate) fn args(&mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> &mut Self {
        self.0.args(args);
        self
    }

    pub(crate) fn start(&mut self) -> Running {
        Running::start(&mut self.0)
    }

    /// Runs it to its end.
    pub(crate) fn output(&mut self) -> Output {
        self.start().output()
    }
}
