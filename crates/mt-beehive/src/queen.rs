//! The queen's side: the hive as she sees it, and the driver that keeps it going.

mod delegate;
mod driver;
mod handle;
mod pump;
mod run;
mod thread;

pub use delegate::{ChildId, Delegate, Exception, TaskResult};
pub use handle::Hive;
pub use run::{BeehiveError, BeehiveRun, beehive_run};
