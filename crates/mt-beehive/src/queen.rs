//! The queen's side: the hive as she sees it, and the driver that keeps it going.

mod bee;
mod census;
mod court;
mod delegate;
mod driver;
mod error;
mod handle;
mod own;
mod pump;
mod reign;
mod run;
mod thread;
mod watch;
mod watcher;

pub use bee::{QueenBee, QueenCall, QueenValue};
pub use census::{Asking, BeeHealth, BeeStatus};
pub use court::{Queen, QueenTask};
pub use delegate::{ChildId, Delegate, Exception, TaskError, TaskResult};
pub use error::BeehiveError;
pub use handle::Hive;
pub(crate) use own::Below;
pub use own::OwnHive;
pub use reign::{WithQueen, beehive_run};
pub use run::{BeehiveRun, WithoutQueen, hive_of};
