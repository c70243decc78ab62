//! `asyn_pmap`: a function over any input, in worker processes.

mod builder;
mod iter;
mod options;
mod output;
mod plan;
mod wait;

pub use builder::{AsynPmap, asyn_pmap, asyn_pmap_with};
pub use iter::{IndexedIter, PmapIter};
pub use output::{Indexed, Pmap};
