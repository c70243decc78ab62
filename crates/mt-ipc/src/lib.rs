//! A typed, framed, bounded connection to a child process.
//!
//! # Start here
//! * [`spawn`] starts a worker process with a private connection that nothing else can reach: nothing
//!   is named, nothing is in the file system, nothing is left behind.
//! * [`attach`] is the worker's side: it takes the connection over if this process was started as a
//!   worker.
//! * [`greet`] and [`accept`] are the two sides of the handshake; another build is refused there.
//! * [`FrameSender`], [`FrameReceiver`] and [`Writer`] move frames; [`memory`] is the same without a
//!   process, for tests.
//! * [`WorkerStderr`] says what becomes of a worker's standard error; a [`StderrReader`] keeps its end
//!   for after a crash.
//!
//! # How traffic flows
//! A sender puts frames into one of two bounded lanes, control and bulk. The [`Writer`] takes whatever
//! is queued into one vectored write, control first, and bulk in pieces of at most
//! [`CHUNK_BYTES`](mt_proto::CHUNK_BYTES), so that a heartbeat never waits behind a gigabyte. The
//! receiver takes what is there and decodes all of it. Under load one system call moves hundreds of
//! frames; when idle, a single frame leaves at once. There is no timer and no fixed delay.
//!
//! # When things die
//! A child that exits or closes its end makes [`FrameReceiver::recv`] return what it had sent and then
//! `None`. A parent that dies makes the guard of the worker, a thread that [`attach`] starts, kill the
//! worker's whole process group, whatever the user's code is doing at that moment.
//!
//! ```
//! use mt_ipc::{QueueLimits, memory};
//! use mt_proto::{FromWorker, Limits};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (ours, theirs) = memory(64 * 1024);
//! let (sender, _, writer) = ours.open(Limits::default(), QueueLimits::default());
//! let (_, mut receiver, _) = theirs.open(Limits::default(), QueueLimits::default());
//!
//! sender.try_send(FromWorker::Ready.into_frame()).unwrap();
//! sender.close();
//! writer.run().await.unwrap(); // drives the sending until it is closed and empty
//! assert!(receiver.recv().await.unwrap().is_some());
//! # }
//! ```

mod attach;
mod child;
mod connection;
mod error;
mod handshake;
mod platform;
mod progress;
mod receiver;
mod sender;
mod spawn;
mod stderr;
mod surroundings;
#[cfg(test)]
mod tests;
mod watched_thread;

pub use attach::{Attached, NOT_STARTED, attach};
pub use child::{Activity, ChildProcess, Exit, is_dying, is_stopped};
pub use connection::{Connection, memory};
pub use error::{AttachError, HandshakeError, RecvError, SendError, SpawnError};
pub use handshake::{accept, greet};
pub use platform::{
    descendants, end_copy, end_descendants, end_worker, hang_up, has_room, is_ignored,
    is_worker_process, main_stack_bytes, may_be_worker, program_of, start_clean,
};
pub use progress::{Progress, Turn};
pub use receiver::FrameReceiver;
pub use sender::{FrameSender, QueueLimits, Writer};
pub use spawn::{Program, Spawned, WorkerCommand, WorkerStdout, spawn};
pub use stderr::{StderrReader, StderrTail, WorkerStderr};
pub use surroundings::Surroundings;
pub use watched_thread::WatchedThread;
