//! The queen's side: the hive as tasks of a queen see it.

mod bee;
mod deadlines;
mod delegate;
mod handle;
mod options;
mod own;
mod queen_run;
mod queen_shared;
mod run;
mod running;
mod watcher;

pub use bee::{QueenBee, QueenCall, QueenValue};
pub use deadlines::Deadlines;
pub use delegate::{ChildId, Delegate, WithBee};
pub use handle::{Asking, Hive};
pub use own::OwnHive;
pub use queen_run::{WithQueen, beehive_run};
pub use queen_shared::{Queen, QueenTask};
pub use run::{BeehiveRun, WithoutQueen, hive_of};
pub use running::RunningHive;
