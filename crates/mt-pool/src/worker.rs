//! The worker process itself, whatever its role: what becomes of a process that was started as a worker.
//!
//! Two threads: the *link* moves frames, beats, and answers the parent; nothing the user's code does
//! can hold it up for longer than five milliseconds. The main thread does the work of the [`Role`] that the parent assigns.
//! (A third one, in `mt-ipc`, does nothing but wait for the parent's end; where standard output is captured, a fourth reads
//! it.) For the parent's side see
//! [`supervision`](crate::supervision).

mod entry;
mod lead;
mod link;
mod panic;
mod pause;
mod role;
mod runtime;
mod slot;
mod stdout;
mod trace;
mod turn;

pub use crate::registry::fingerprint;
pub(crate) use entry::main;
pub(crate) use lead::Lead;
pub use panic::{Panic, caught, caught_async, drop_caught};
pub(crate) use pause::{Pause, tick_after};
pub use role::{NotSetUp, Role, RoleEnd, RoleLink, RoleSession, RoleWork};
pub use runtime::{drive, drive_local, runtime};
pub use slot::worker_slot;
pub(crate) use stdout::stdout_capture;
pub(crate) use trace::stamp_events;
pub use trace::{during_init, forward_event, install};
pub use turn::Incoming;
