//! `asyn_pmap`: a function over any input, in worker processes.

#[cfg(feature = "indicatif")]
mod bar;
mod builder;
mod dead_letter;
mod handle;
mod hook;
mod iter;
mod options;
mod outcome;
mod output;
mod parts;
mod plan;

pub use builder::{AsynPmap, asyn_pmap, asyn_pmap_with};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use handle::RunHandle;
pub use iter::{IndexedIter, PmapIter};
pub(crate) use outcome::{Outcome, apart_outcome, decode_outcome};
pub use output::{Indexed, Pmap};
pub(crate) use parts::{Parts, parts};
pub(crate) use plan::{Launched, launch};
