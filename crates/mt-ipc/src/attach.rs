//! The worker's side of being started.

use std::{io, thread};

use bytes::BytesMut;
use mt_proto::Fingerprint;

use crate::{
    AttachError, Connection, Progress, StdoutCapture,
    handshake::hello,
    platform::{self, Guard, Socket, Until},
};

/// The exit code of a worker process that has not done what it was started for, and has said why on its standard error.
pub const NOT_STARTED: i32 = 70;

/// What a worker process is started with, taken over without a runtime, so that it can say hello before it has one: its
/// parent answers while the rest is made.
#[derive(Debug)]
pub struct Inherited {
    pub(crate) socket: Socket,
    pub(crate) progress: Progress,
    pub(crate) guard: Guard,
    pub(crate) stack_bytes: u64,
    pub(crate) slot: Option<u32>,
    pub(crate) keeps_descriptors: bool,
    pub(crate) capture: Option<StdoutCapture>,
}

/// A worker's end of its connection that no runtime watches yet.
#[derive(Debug)]
pub struct Unconnected {
    socket: Socket,
    progress: Progress,
}

/// What a worker process works with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attached {
    /// The worker's end of the connection. Its sending side ends with this process: closing it sends what is
    /// queued, but what the parent sees is the end of the process.
    pub connection: Connection,
    /// Where it counts what it has started and finished.
    pub progress: Progress,
}

impl Inherited {
    /// Takes over the connection this process was started with, and ties it to its parent. To be called once, before
    /// anything else uses standard input; [`start_clean`](crate::start_clean) comes before that. The
    /// [`Guard`] has to be put to work before any code of the user's runs.
    ///
    /// # Errors
    /// [`AttachError`]; the process should exit then.
    pub fn take_over() -> Result<Self, AttachError> {
        platform::take_over()
    }

    /// The stack that the thread of the user's code is to have, in bytes.
    #[must_use]
    pub fn stack_bytes(&self) -> u64 {
        self.stack_bytes
    }

    /// The slot of this process, if it was given one.
    #[must_use]
    pub fn slot(&self) -> Option<u32> {
        self.slot
    }

    /// Whether this process is to keep the descriptors above 2 that it has inherited. Otherwise
    /// [`close_inherited`](crate::close_inherited) has to be called before any code of the user's runs.
    #[must_use]
    pub fn keeps_descriptors(&self) -> bool {
        self.keeps_descriptors
    }

    /// What captures the standard output of this process, if that is asked of it; once. Its
    /// [`read_on`](StdoutCapture::read_on) needs a thread before any code of the user's runs.
    pub fn take_capture(&mut self) -> Option<StdoutCapture> {
        self.capture.take()
    }

    /// Says hello, as a build with these tasks. Nothing is in the connection yet, so this does not wait. That the parent
    /// is gone shows in what comes of the connection.
    pub fn say_hello(&self, tasks: Fingerprint) {
        let mut bytes = BytesMut::new();
        hello(tasks).write_to(&mut bytes);
        platform::send_now(&self.socket, &bytes);
    }

    /// The two things that threads of their own look after.
    #[must_use]
    pub fn into_parts(self) -> (Unconnected, Guard) {
        let Self {
            socket, progress, ..
        } = self;
        (Unconnected { socket, progress }, self.guard)
    }
}

impl Unconnected {
    /// Has the connection watched by the current runtime, which must have IO enabled.
    ///
    /// # Errors
    /// The system's, when it has no descriptor or no room left.
    pub fn connect(self) -> Result<Attached, AttachError> {
        let stream = platform::Stream::of_worker(self.socket);
        let stream = stream.map_err(while_doing("watching the connection to the parent"))?;
        Ok(Attached {
            connection: Connection::over_stream(stream, Until::ProcessEnds),
            progress: self.progress,
        })
    }
}

/// All of that at once, but for the hello: takes the connection over, closes other descriptors that were inherited, and
/// starts a thread for the [`Guard`], and one for standard output if that is captured, of which nothing is kept. To be
/// called within a tokio runtime that has IO enabled.
///
/// # Errors
/// [`AttachError`]; the process should exit then.
pub fn attach() -> Result<Attached, AttachError> {
    let mut inherited = Inherited::take_over()?;
    if let Some(capture) = inherited.take_capture() {
        // Nobody says here what an item is.
        let reading = thread::Builder::new().name("mt-stdout".into());
        let started = reading.spawn(move || capture.read_on());
        started.map_err(while_doing(
            "starting the thread that reads the standard output",
        ))?;
    }
    if !inherited.keeps_descriptors() {
        platform::close_inherited();
    }
    let (connection, guard) = inherited.into_parts();
    let started = guard.on_thread();
    started.map_err(while_doing("starting the thread that watches the parent"))?;
    connection.connect()
}

pub(crate) fn while_doing(what: &'static str) -> impl FnOnce(io::Error) -> AttachError {
    move |source| AttachError::System { what, source }
}
