//! Run a plain function, sync or async, over any stream of inputs, in supervised worker processes.
//! Nothing a task does (segfault, abort, leak, endless loop, out of memory) costs more than that task.
#![cfg_attr(doctest, doc = "")]

extern crate self as mt_pool;

mod context;
mod dispatch;
mod error;
mod event;
mod init;
mod input;
mod liveness;
mod pmap;
mod registry;
mod stats;
mod supervisor;
mod task;
mod wire;
mod worker;

pub use context::{Context, NoContext};
pub use dispatch::RestartBudget;
pub use error::{Death, DeathCause, PoolError, StartError, TaskError, TaskErrorKind};
pub use event::PoolEvent;
pub use init::init;
pub use input::{FromStream, IntoInput, Source, from_stream};
pub use liveness::LivenessPolicy;
pub use mt_ipc::{Exit, HandshakeError, SpawnError};
pub use mt_macros::{inline_task, main, task};
pub use mt_proto::{ContextStep, DecodeError, SetupStep};
pub use pmap::{AsynPmap, Indexed, IndexedIter, Pmap, PmapIter, asyn_pmap, asyn_pmap_with};
pub use registry::Registration;
pub use stats::Stats;
pub use supervisor::OnInterrupt;
pub use task::{Never, Raised, Task, TaskStyle};
pub use wire::Wire;

/// For the macros; not for people.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use mt_ipc::is_worker_process;
    pub use tokio;

    pub use crate::{
        init::TestEntry,
        wire::{Checked, wire},
    };
}
