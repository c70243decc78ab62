//! Works in worker processes, driven by hand: ids that are pushed, or 0, 1, 2 … for ever.
//!
//! [`ProcessParalleliser`] takes ids in and gives outcomes out; [`WorkIterator`] uses one to be a few
//! works ahead of whoever iterates. Both may be shared between threads.

mod ahead;
mod counters;
mod error;
mod iterator;
mod iterator_builder;
mod manual_run;
mod paralleliser;
mod pooled;
mod serial_mode;
mod shared_outlet;
mod wait_cell;

pub use counters::WorkCounters;
pub use error::PopError;
pub use iterator::WorkIterator;
pub use iterator_builder::WorkIteratorBuilder;
pub use paralleliser::{ParalleliserState, ProcessParalleliser, ProcessParalleliserBuilder};
