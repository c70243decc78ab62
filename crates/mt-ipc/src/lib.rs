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
//! * [`WorkerStderr`] says what becomes of a worker's standard error; an [`OutputReader`] keeps its end
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
//! # A parent and its worker
//! Nothing but this crate and the messages of [`mt_proto`] is needed:
//!
//! ```
//! # // Case I15: Mt-ipc can be used alone: a program starts itself, and both sides talk frames to the end.
//! use std::{error::Error, time::Duration};
//!
//! use mt_ipc::{Connection, FrameReceiver, FrameSender, QueueLimits, WorkerCommand};
//! use mt_proto::{Fingerprint, Frame, Kind, Limits, Welcome, WorkerId};
//!
//! const BUILD: Fingerprint = Fingerprint(1); // of what both sides are built from
//!
//! fn open(connection: Connection) -> (FrameSender, FrameReceiver) {
//!     let (sender, receiver, writer) = connection.open(Limits::default(), QueueLimits::default());
//!     tokio::spawn(writer.run()); // drives the sending until it is closed and empty
//!     (sender, receiver)
//! }
//!
//! /// Sends back what comes.
//! async fn worker() -> Result<(), Box<dyn Error>> {
//!     let (sender, mut receiver) = open(mt_ipc::attach()?.connection);
//!     mt_ipc::greet(&sender, &mut receiver, BUILD).await?;
//!     while let Some(frame) = receiver.recv().await? {
//!         sender.try_send(frame)?;
//!     }
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     if mt_ipc::is_worker_process() {
//!         mt_ipc::start_clean();
//!         worker().await?;
//!         std::process::exit(0);
//!     }
//!     let mut started = mt_ipc::spawn(WorkerCommand::default()).await?;
//!     let (sender, mut receiver) = open(started.connection);
//!     let hello = receiver.recv().await?.ok_or("it said nothing")?;
//!     let welcome = Welcome {
//!         worker: WorkerId(0),
//!         beat_interval: Duration::from_millis(500),
//!     };
//!     mt_ipc::accept(&sender, hello, BUILD, welcome)?;
//!
//!     let sent = Frame::new(Kind::Items, vec![7; 1 << 20]);
//!     sender.try_send(sent.clone())?;
//!     assert_eq!(receiver.recv().await?, Some(sent));
//!     sender.close();
//!     assert_eq!(receiver.recv().await?, None);
//!     assert_eq!(started.process.wait().await.code, Some(0));
//!     Ok(())
//! }
//! ```

mod attach;
mod attached;
mod blob;
mod child;
mod connection;
mod error;
mod handshake;
mod output;
mod platform;
mod progress;
mod receiver;
mod sender;
mod spawn;
mod surroundings;
#[cfg(test)]
mod tests;

pub use attach::{Attached, Inherited, NOT_STARTED, Unconnected, attach};
#[cfg(feature = "ndarray")]
pub use blob::ViewError;
pub use blob::{Blob, BlobWriter};
pub use child::{Activity, ChildProcess, Exit, is_dying, is_stopped};
pub use connection::{Connection, memory};
pub use error::{AttachError, HandshakeError, RecvError, SendError, SpawnError};
pub use handshake::{accept, answered, greet};
pub use output::{
    CapturedOutput, OutputReader, OutputTail, StdoutCapture, WorkerStderr, WorkerStdout,
};
pub use platform::{
    Guard, Resource, ResourceLimits, WatchedThread, close_inherited, descendants, end_copy,
    end_descendants, end_worker, hang_up, has_room, ignores_terminate_of_others, is_ignored,
    is_worker_process, main_stack_bytes, may_be_worker, own_args, own_niceness, program_of,
    start_clean, worker_of,
};
pub use progress::{Progress, Turn};
pub use receiver::FrameReceiver;
pub use sender::{FrameSender, QueueLimits, Writer};
pub use spawn::{Program, SLOT_VARIABLE, SpawnRequest, Spawned, WorkerCommand, request, spawn};
pub use surroundings::Surroundings;
