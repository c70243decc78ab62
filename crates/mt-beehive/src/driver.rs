//! The parent's side of a hive's bees: one loop a hive, and one session for each bee's process.

pub(crate) mod census;
mod command_queue;
#[expect(clippy::module_inception, reason = "the loop itself, as in the pool")]
mod driver;
mod pump;
mod thread;
mod watch;

pub(crate) use command_queue::{Command, CommandQueue};
pub(crate) use driver::Driver;
pub(crate) use pump::SpawnSpec;
pub(crate) use thread::{Driven, drive};
