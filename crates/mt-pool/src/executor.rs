//! The pool's work in a worker process: calls the task for one item after the other, or for many at once, on the
//! process's main thread.
//!
//! What came in waits in the inbox, outcomes go through the outbox; the connection is the link's business.

mod async_call;
mod call_head;
mod call_stdout;
mod call_target;
mod context_batch;
mod gate;
mod job;
mod outbox;
mod reporter;
mod run_async;
mod run_calls;
mod run_sync;
mod running;
mod session;
mod stopwatch;
mod tally;
mod targets;
mod unbegun;
mod work;

pub(crate) use call_head::CallHead;
pub(crate) use call_target::{MakeTarget, target_of};
pub(crate) use job::{CallOnce, Serve, call_once, serve};
pub(crate) use run_calls::CALLS;
pub(crate) use session::{EXECUTOR, WITHDRAWN};
pub(crate) use tally::add as count;
