//! A queen bee with the model and the data, worker bees in processes of their own, and a protocol between
//! them that loses no task.

mod bee;
mod child;
mod hive;
mod log;
mod queen;
mod registry;

pub use bee::{Bee, BeeCx, TaskCall, TaskCx, WorkerBee};
pub use hive::parent::{Dispatch, Population};
pub use log::logger_debug_msg;
pub use queen::{
    BeehiveError, BeehiveRun, ChildId, Delegate, Exception, Hive, TaskResult, beehive_run,
};
pub use registry::Registration;

/// For the macros; not for people.
#[doc(hidden)]
pub mod __private {
    pub use mt_pool::__private::inventory;

    pub use crate::bee::{decode_args, encode_value, raised};
}
