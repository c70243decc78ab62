//! The parent's side of a hive's bees: one loop a hive, and one session for each bee's process.

mod bee_handle;
mod command_queue;
#[expect(clippy::module_inception, reason = "the loop itself, as in the pool")]
mod driver;
mod ending;
mod events;
mod thread;

pub(crate) use command_queue::{Command, CommandQueue};
pub(crate) use driver::Driver;
pub use ending::HiveShutdown;
pub(crate) use thread::{Driven, drive};
