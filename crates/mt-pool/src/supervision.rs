//! The parent's side of any supervised worker process: how it is started, watched and ended, and what it said last.
//!
//! Nothing here knows what a worker works on. [`Workers`] has the processes of one owner, a [`SpawnSpec`] says how
//! they are started, and everything that happens to them comes as a [`SessionEvent`]. What a process is for is its
//! role: see [`worker`](crate::worker) for the process's own side, and `examples/line_helper.rs` for both sides.
//! A run of the pool and a hive of `mt-beehive` are owners like any other.

mod callsite;
mod control;
mod death;
mod deaths;
mod end_watch;
mod frame_source;
mod hello_timeout;
mod idle_workers;
mod last_words;
mod lease;
mod liveness;
mod oom_evidence;
mod oom_ledger;
mod own_runtime;
mod phase;
mod plain;
mod process_record;
mod relay;
mod restart_budget;
mod session;
mod session_event;
mod signals;
mod slots;
mod spawn_spec;
mod starvation;
mod watch;
mod worker_event;
mod worker_failure;
mod workers;

/// The name of a worker's thread that moves frames and beats.
pub(crate) const LINK: &str = "mt-link";

pub use control::WorkerControl;
pub use death::{Death, DeathCause};
pub use deaths::Deaths;
pub use end_watch::{EndTie, EndWatch};
pub use frame_source::{FrameSource, SendsItself};
pub(crate) use idle_workers::{IdleLimits, IdleWorkers};
pub use last_words::LastWords;
pub use liveness::{Health, LivenessPolicy, Verdict};
pub use mt_ipc::{Exit, FrameSender, Progress, WorkerCommand};
pub use mt_proto::{Frame, Kind, WorkerId};
pub use own_runtime::OwnRuntime;
pub(crate) use phase::LATE;
pub(crate) use plain::Plain;
pub use process_record::ProcessRecord;
pub(crate) use process_record::ReuseDemands;
pub use relay::WorkerEvents;
pub use restart_budget::{RestartBudget, Restarts};
pub(crate) use session::{END_WAIT, HANG_UP_GRACE, room_and, until};
pub use session_event::{SessionEvent, WorkerEnd};
pub use signals::{Interruption, Interrupts, OnSignal, OnSignals};
pub(crate) use slots::{SlotVariables, ValueBySlot};
pub(crate) use spawn_spec::START_LIMIT;
pub use spawn_spec::SpawnSpec;
pub(crate) use spawn_spec::default_stack_bytes;
pub use worker_event::WorkerEvent;
pub(crate) use worker_event::told_level;
pub use worker_failure::WorkerFailure;
pub use workers::{SessionEvents, Workers};
