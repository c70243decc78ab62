//! One contract for every backend: each test runs on memory, on memory with hardly any buffer, and
//! on a socketpair.

mod attaching;
mod receiving;
mod sending;
mod writing;

use std::os::unix::net::UnixStream as StdUnixStream;

use bytes::Bytes;
use mt_proto::{Beat, Frame, Kind, Limits, ToWorker};
use mt_test_kit::{name_of, watchdog};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::UnixStream,
};

use crate::{
    Connection, FrameReceiver, FrameSender, QueueLimits, Writer,
    connection::over_memory,
    platform::{Stream, Until},
};

/// The other end of a connection, for tests that speak in bytes.
trait Raw: AsyncRead + AsyncWrite + Unpin {}

impl Raw for DuplexStream {}
impl Raw for UnixStream {}

#[derive(Debug, Clone, Copy)]
enum Backend {
    Memory { buffer_bytes: usize },
    Socket,
}

const BACKENDS: [Backend; 3] = [
    Backend::Memory {
        buffer_bytes: 4 << 20,
    },
    Backend::Memory { buffer_bytes: 61 },
    Backend::Socket,
];

impl Backend {
    fn pair(self) -> (Connection, Connection) {
        match self {
            Self::Memory { buffer_bytes } => crate::memory(buffer_bytes),
            Self::Socket => {
                let (a, b) = sockets();
                (over(a), over(b))
            }
        }
    }

    /// An open end, and the bytes at the other.
    fn raw(self) -> (FrameSender, FrameReceiver, Writer, Box<dyn Raw>) {
        let (connection, raw): (_, Box<dyn Raw>) = match self {
            Self::Memory { buffer_bytes } => {
                let (a, b) = tokio::io::duplex(buffer_bytes);
                (over_memory(a), Box::new(b))
            }
            Self::Socket => {
                let (a, b) = sockets();
                (over(a), Box::new(UnixStream::from_std(b).unwrap()))
            }
        };
        let (sender, receiver, writer) = open(connection);
        (sender, receiver, writer, raw)
    }
}

fn sockets() -> (StdUnixStream, StdUnixStream) {
    let (a, b) = StdUnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

fn over(socket: StdUnixStream) -> Connection {
    Connection::over_stream(Stream::from_std(socket).unwrap(), Until::Closed)
}

/// Runs a test on every backend, in a runtime of one thread: who needs two to make progress can
/// deadlock.
fn check<F: AsyncFn(Backend)>(test: F) {
    let name = name_of::<F>();
    let _watchdog = watchdog(name);
    for backend in BACKENDS {
        println!("{name} on {backend:?}");
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build();
        runtime.unwrap().block_on(test(backend));
    }
}

fn open(connection: Connection) -> (FrameSender, FrameReceiver, Writer) {
    connection.open(Limits::default(), QueueLimits::default())
}

fn beat() -> Frame {
    ToWorker::Beat(Beat::Alive).into_frame()
}

/// A bulk frame of this many bytes, which tell their place.
fn bulk(length: usize) -> Frame {
    let body: Bytes = (0..length).map(|at| (at / 251) as u8 ^ at as u8).collect();
    Frame::new(Kind::Results, body)
}

/// All frames until the end.
async fn all_of(receiver: &mut FrameReceiver) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(frame) = receiver.recv().await.unwrap() {
        frames.push(frame);
    }
    frames
}

fn wire_of(frames: impl IntoIterator<Item = Frame>) -> bytes::BytesMut {
    let mut wire = bytes::BytesMut::new();
    for frame in frames {
        frame.write_to(&mut wire);
    }
    wire
}
