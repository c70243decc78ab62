//! What can go wrong on a connection and in making one.

use std::io;

use mt_proto::{Build, DecodeError};

/// Receiving failed. Nothing more can be received on this connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// The other side sent bytes that are no message. It is broken and should be killed.
    #[error("received bytes that are no message: {0}")]
    Decode(#[from] DecodeError),
    /// The connection ended inside a frame: the other side died while it was sending.
    #[error("the connection ended inside a message")]
    Cut,
    /// The operating system refused.
    #[error("reading from the connection failed: {0}")]
    Io(#[from] io::Error),
}

/// A frame was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The lane is at its limit: the other side does not read fast enough. Trying again later can
    /// help.
    #[error("the send queue is full")]
    Full,
    /// The connection is closed or broken.
    #[error("the connection is closed")]
    Closed,
}

/// A worker process could not be started. No process is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The operating system lacks something just now: descriptors, processes, memory.
    #[error("making the connection for a worker failed: {0}")]
    Connection(#[from] io::Error),
    /// The program can't be started.
    #[error("starting the worker program {program} failed: {source}")]
    Program {
        /// What was to be started.
        program: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The folder that workers start in is gone: the one they are given, or that of this process when their owner was
    /// started.
    #[error(
        "the folder {folder} is gone, in which workers are to start: it is their `cwd`, or the run was started in it"
    )]
    Folder {
        /// The folder.
        folder: String,
    },
    /// The function that gives the value of an environment variable for a slot panicked.
    #[error(
        "the value of the variable {name} for slot {slot} could not be had: it panicked: {message}"
    )]
    Variable {
        /// The variable.
        name: String,
        /// The slot of the worker that was to be started.
        slot: u32,
        /// The panic's message.
        message: String,
    },
    /// The program's file is not the one this process was started from.
    #[error(
        "the program file {program} was replaced while this process runs, so a worker would be another build; restart the program"
    )]
    Replaced {
        /// The file.
        program: String,
    },
    /// The system has no thread to give for starting workers. The next start tries again.
    #[error(
        "starting the thread that starts workers failed: {0} (is there a limit on processes, `ulimit -u`, or on memory?)"
    )]
    Thread(io::Error),
    /// The thread that starts workers is not in this process, which was forked off the one that has it; or the runtime
    /// has no IO, or has ended.
    #[error("the thread that starts workers is not available")]
    Spawner,
}

/// The two sides did not come to terms.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The other side is another build.
    #[error(
        "the worker is another build: {theirs}, here {ours}; build parent and worker from the same source"
    )]
    OtherBuild {
        /// The build of this side.
        ours: Build,
        /// The build of the other side.
        theirs: Build,
    },
    /// The other side said something else than its first word.
    #[error("the other side spoke out of turn")]
    OutOfTurn,
    /// The other side ended the connection before the handshake was over.
    #[error("the other side hung up before the handshake was over")]
    HungUp,
    /// The connection failed.
    #[error(transparent)]
    Recv(#[from] RecvError),
    /// The answer could not be queued.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// A process was started as a worker, but its connection can't be taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// What should be the connection is not one: started by hand?
    #[error(
        "this process carries a worker's name (`mt-worker`, its `argv[0]` or first argument), but its standard input is no \
         connection to a parent: {0}; start the program under another name"
    )]
    NoConnection(#[from] io::Error),
    /// The operating system lacks something that a worker needs.
    #[error("{what} failed: {source}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The parent died before the worker was up.
    #[error("the parent process is gone")]
    ParentGone,
}
