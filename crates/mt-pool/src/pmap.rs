//! `asyn_pmap`: a function over any input, in worker processes.

#[cfg(feature = "indicatif")]
mod bar;
mod builder;
mod dead_letter;
mod handle;
mod hook;
mod live_run;
mod options;
mod outcome;
mod output;
mod plan;
mod scope;

pub use builder::{AsynPmap, asyn_pmap, asyn_pmap_with};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use handle::RunHandle;
pub(crate) use live_run::LiveRun;
pub(crate) use outcome::{
    Emptied, OpenSegment, Outcome, apart_outcome, decode_outcome, record_outcome,
};
pub use output::{Indexed, Pmap, WithStdout};
pub(crate) use plan::{given, init_here, launch};
pub use scope::{Scope, scope};
