//! A connected socket as two asynchronous halves, of which only the reading one is watched all the time.
//!
//! A socket that is watched for writing as well wakes its owner whenever the other side has taken bytes out of
//! it: once a message, for nothing, when messages are small. So a write is tried first, and only one that finds
//! the socket full has it watched.
#![expect(
    unsafe_code,
    reason = "reading into memory that is not initialised, watching descriptors"
)]

use std::{
    io::{self, IoSlice},
    net::Shutdown,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustix::{io::fcntl_dupfd_cloexec, net::RecvFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd};

use super::{
    super::Until,
    rights::{ReceivedFiles, has_no_room, receive, receive_now, send},
};

/// A connected socket. Made and used inside a tokio runtime.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: AsyncFd<UnixStream>,
    /// The same socket once more: a poller watches a descriptor for one thing only. Made now, because later
    /// there may be no descriptor to be had.
    again: Arc<OwnedFd>,
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

impl Stream {
    /// Takes over a socket that does not block.
    pub(crate) fn from_std(socket: UnixStream) -> io::Result<Self> {
        #[cfg(target_vendor = "apple")]
        rustix::net::sockopt::set_socket_nosigpipe(&socket, true)?;
        let again = Arc::new(fcntl_dupfd_cloexec(&socket, 0)?);
        let socket = watched(socket, Interest::READABLE)?;
        Ok(Self { socket, again })
    }

    /// Takes over a worker's end.
    pub(crate) fn of_worker(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::from_std(socket)
    }

    pub(crate) fn into_split(self, until: Until) -> (StreamReadHalf, StreamWriteHalf) {
        let socket = Arc::new(self.socket);
        let write = StreamWriteHalf {
            socket: Arc::clone(&socket),
            again: self.again,
            full: None,
            until,
        };
        let files = None;
        (StreamReadHalf { socket, files }, write)
    }
}

/// Has a descriptor watched by this runtime's poller.
pub(super) fn watched<T: OwnsFd>(descriptor: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: the descriptor is owned by what is registered, alone or with others who give it to nobody either,
    // and that is dropped with its registration: it stays open, and the same, for as long as it is watched.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, interest) };
    Ok(watched?)
}

/// What owns one descriptor, the same as long as it lives.
pub(super) trait OwnsFd: AsRawFd {}

impl OwnsFd for UnixStream {}
impl OwnsFd for OwnedFd {}
impl OwnsFd for Arc<OwnedFd> {}

/// What is read from.
#[derive(Debug)]
pub(crate) struct StreamReadHalf {
    socket: Arc<AsyncFd<UnixStream>>,
    /// What has come with the bytes that were read last.
    files: Option<Box<ReceivedFiles>>,
}

impl StreamReadHalf {
    /// Ends both directions, now.
    pub(crate) fn hang_up(&self) {
        let _ = self.socket.get_ref().shutdown(Shutdown::Both);
    }

    /// Reads what is there without waiting; `None` when nothing is.
    pub(crate) fn read_now(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        match receive_now(self.socket.get_ref(), into) {
            Ok((n, files)) => {
                self.files = files.map(Box::new);
                Ok(Some(n))
            }
            Err(error) if has_no_room(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is more than can be read now of what a process has left that has ended: nothing.
    pub(crate) async fn has_more(&self) -> bool {
        false
    }

    /// The files that came with the bytes that were read last.
    #[inline]
    pub(crate) fn take_files(&mut self) -> Option<ReceivedFiles> {
        self.files.take().map(|files| *files)
    }
}

impl AsyncRead for StreamReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, files } = &mut *self;
        loop {
            let mut ready = ready!(socket.poll_read_ready(cx))?;
            // SAFETY: nothing that is initialised is made uninitialised: `recv` only ever writes bytes.
            let into = unsafe { buffer.unfilled_mut() };
            let asked = into.len();
            let read = ready.try_io(|socket| receive(socket.get_ref(), into, RecvFlags::empty()));
            let Ok(read) = read else { continue };
            let (read, came) = read?;
            *files = came.map(Box::new);
            // The socket is empty, and will say when it no longer is (where that is told by edges): unless the call has
            // ended where files came.
            if cfg!(target_os = "linux") && (1..asked).contains(&read) && files.is_none() {
                ready.clear_ready();
            }
            // SAFETY: the system says that it has written so many bytes, from the first one on.
            unsafe { buffer.assume_init(read) };
            buffer.advance(read);
            return Poll::Ready(Ok(()));
        }
    }
}

/// What is written to.
#[derive(Debug)]
pub(crate) struct StreamWriteHalf {
    socket: Arc<AsyncFd<UnixStream>>,
    again: Arc<OwnedFd>,
    /// Watched since a write found the socket full. While nothing says that it is, nobody watches.
    full: Option<AsyncFd<Arc<OwnedFd>>>,
    until: Until,
}

impl StreamWriteHalf {
    fn close(&self) -> io::Result<()> {
        match self.until {
            Until::Closed => self.socket.get_ref().shutdown(Shutdown::Write),
            Until::ProcessEnds => Ok(()),
        }
    }
}

impl Drop for StreamWriteHalf {
    fn drop(&mut self) {
        // The other side may be gone already.
        let _ = self.close();
    }
}

impl StreamWriteHalf {
    /// Writes what there is room for, and hands over the files with the first byte of it.
    pub(crate) fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        files: &[BorrowedFd<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self {
            socket,
            again,
            full,
            ..
        } = self;
        let socket = socket.get_ref();
        let written = send(socket, slices, files);
        if !written.as_ref().is_err_and(has_no_room) {
            // Full no more: what comes next most likely fits as well.
            *full = None;
            return Poll::Ready(written);
        }
        let watched = match full {
            Some(watched) => watched,
            None => full.insert(watched(Arc::clone(again), Interest::WRITABLE)?),
        };
        loop {
            let mut ready = ready!(watched.poll_write_ready(cx))?;
            if let Ok(written) = ready.try_io(|_| send(socket, slices, files)) {
                return Poll::Ready(written);
            }
        }
    }
}

impl AsyncWrite for StreamWriteHalf {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, slices, &[])
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was written is in the kernel.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.close())
    }
}
