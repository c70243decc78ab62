//! The worker's side: what a process does that was started as a worker.
//!
//! Two threads: the *link* moves frames, beats, and answers the parent; nothing the user's code does
//! can hold it up. The main thread runs the user's code. (A third one, in `mt-ipc`, does nothing but
//! wait for the parent's end.)

mod ambient;
mod batch;
mod call;
mod entry;
mod hooks;
mod job;
mod link;
mod outbox;
mod panic;
mod reporter;
mod run_async;
mod run_sync;
mod stopwatch;
mod tally;
mod trace;

pub(crate) use ambient::Ambient;
pub(crate) use entry::main;
pub(crate) use job::{CallOnce, Serve, call_once, serve};
pub use panic::caught;
pub(crate) use panic::panic_text;
pub(crate) use tally::add as count;
pub use trace::{RoleTrace, during_init, forward_event, install};
