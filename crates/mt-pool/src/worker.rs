//! The worker's side: what a process does that was started as a worker.
//!
//! Two threads: the *link* moves frames, beats, and answers the parent; nothing the user's code does
//! can hold it up. The main thread runs the user's code. (A third one, in `mt-ipc`, does nothing but
//! wait for the parent's end.)

mod entry;
mod link;
mod panic;
mod trace;

pub(crate) use entry::main;
pub(crate) use link::{Batch, PoolWork};
pub use panic::caught;
pub(crate) use panic::panic_text;
pub use trace::{RoleTrace, during_init, forward_event, install};
