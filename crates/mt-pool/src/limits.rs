//! What a run may use: time, memory, tries, workers. Options that belong together are one value each.
//!
//! Each value starts with its defaults (`new()`) and has a method for each of its options:
//!
//! ```
//! use std::time::Duration;
//! use mt_pool::{asyn_pmap, limits::{Deadlines, MemoryLimits, Retries}};
//!
//! # #[mt_pool::task]
//! # fn render(page: u32) -> Result<u32, String> { Ok(page) }
//! # #[mt_pool::main]
//! # fn main() -> anyhow::Result<()> {
//! let run = asyn_pmap::<render>(0..10)
//!     .deadlines(Deadlines::new().hard(Duration::from_secs(20)))
//!     .memory(MemoryLimits::new().max_rss_bytes(1 << 30))
//!     .retries(Retries::new(2).only_if(|error: &String| error.contains("busy")));
//! # assert_eq!(run.start()?.into_iter().count(), 10);
//! # Ok(())
//! # }
//! ```
//!
//! What is out of its range is a [`StartError::Option`](crate::StartError::Option) at the start of the run.
//! Times beyond 30 years mean "never".

mod byte_limits;
mod check;
mod deadlines;
mod memory_limits;
mod processes;
mod recycle;
mod retries;
mod worker_options;
mod worker_place;

pub use byte_limits::ByteLimits;
pub(crate) use check::{MAX_ITEMS, MAX_PROCESSES, is_fraction, processors};
pub use check::{at_least_one, in_range, is_time, reckonable};
pub use deadlines::Deadlines;
pub use memory_limits::MemoryLimits;
pub use mt_ipc::Resource;
pub use mt_proto::Deadline;
pub use processes::Processes;
pub use recycle::Recycle;
pub use retries::Retries;
pub use worker_options::WorkerOptions;
