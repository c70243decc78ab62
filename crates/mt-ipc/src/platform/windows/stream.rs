//! A pipe as two asynchronous halves that move [records](super::record), and handles with them.
//!
//! Only a parent copies handles from one process to the other, in both directions: it may, and its worker may not. What a
//! worker hands on it leaves for its parent to take.
#![expect(
    unsafe_code,
    reason = "pipes that a runtime takes over, handles that were given to this process"
)]

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    os::windows::io::{AsHandle, BorrowedHandle, IntoRawHandle, OwnedHandle},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::windows::named_pipe::{NamedPipeClient, NamedPipeServer},
    time::timeout,
};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE};

use super::{
    handles::{Rights, give, given, leave_for_another, take},
    process,
    record::{self, RECORD_BYTES},
    stdio::LAST,
};
use crate::platform::Until;

/// Whether nothing can be taken out of a process any more, because it has ended: as if it had not sent what it has left.
fn is_gone(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    code == Some(ERROR_INVALID_HANDLE) || code == Some(ERROR_ACCESS_DENIED)
}

/// Handles that came with some bytes.
#[derive(Debug, Default)]
pub(crate) struct ReceivedFiles {
    pub(crate) files: Vec<OwnedHandle>,
    /// Others found no room in this process.
    pub(crate) cut: bool,
}

/// A connected pipe. Made and used inside a tokio runtime.
#[derive(Debug)]
pub(crate) struct Stream(Arc<Pipe>);

#[derive(Debug)]
enum Pipe {
    /// A parent's end.
    Parent(NamedPipeServer, Peer),
    Worker(NamedPipeClient),
}

/// The process that has the other end.
#[derive(Debug, Default)]
struct Peer {
    /// The one that was started.
    started: OnceLock<OwnedHandle>,
    /// The worker, where that is another one below it.
    below: OnceLock<OwnedHandle>,
}

impl Peer {
    fn process(&self) -> io::Result<BorrowedHandle<'_>> {
        let process = self.below.get().or_else(|| self.started.get());
        Ok(process.ok_or(io::ErrorKind::NotConnected)?.as_handle())
    }

    /// The worker has said which process it is.
    fn is_process(&self, pid: u32) -> io::Result<()> {
        let _ = self.below.set(process::below(self.process()?, pid)?);
        Ok(())
    }
}

impl AsHandle for Stream {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        match &*self.0 {
            Pipe::Parent(pipe, _) => pipe.as_handle(),
            Pipe::Worker(pipe) => pipe.as_handle(),
        }
    }
}

impl Stream {
    /// Takes over a parent's end.
    pub(crate) fn from_std(socket: OwnedHandle) -> io::Result<Self> {
        // SAFETY: it is a pipe's, made to be watched, and nobody else has it.
        let pipe = unsafe { NamedPipeServer::from_raw_handle(socket.into_raw_handle()) }?;
        Ok(Self(Arc::new(Pipe::Parent(pipe, Peer::default()))))
    }

    /// Takes over a worker's end.
    pub(crate) fn of_worker(socket: OwnedHandle) -> io::Result<Self> {
        // SAFETY: as above.
        let pipe = unsafe { NamedPipeClient::from_raw_handle(socket.into_raw_handle()) }?;
        Ok(Self(Arc::new(Pipe::Worker(pipe))))
    }

    /// Tells whose other end it is.
    pub(super) fn belongs_to(&self, worker: BorrowedHandle<'_>) -> io::Result<()> {
        if let Pipe::Parent(_, peer) = &*self.0 {
            let _ = peer.started.set(worker.try_clone_to_owned()?);
        }
        Ok(())
    }

    pub(crate) fn into_split(self, until: Until) -> (StreamReadHalf, StreamWriteHalf) {
        let write = StreamWriteHalf {
            pipe: Arc::clone(&self.0),
            unsent: BytesMut::new(),
            until,
            is_closed: false,
        };
        let read = StreamReadHalf {
            pipe: self.0,
            received: BytesMut::new(),
            left: 0,
            has_ended: false,
            files: None,
        };
        (read, write)
    }
}

impl Pipe {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Parent(pipe, _) => pipe.poll_read_ready(cx),
            Self::Worker(pipe) => pipe.poll_read_ready(cx),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Parent(pipe, _) => pipe.poll_write_ready(cx),
            Self::Worker(pipe) => pipe.poll_write_ready(cx),
        }
    }

    fn try_read(&self, into: &mut BytesMut) -> io::Result<usize> {
        into.reserve(RECORD_BYTES);
        match self {
            Self::Parent(pipe, _) => pipe.try_read_buf(into),
            Self::Worker(pipe) => pipe.try_read_buf(into),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Parent(pipe, _) => pipe.try_write(bytes),
            Self::Worker(pipe) => pipe.try_write(bytes),
        }
    }

    /// The number by which the other side finds a handle of this process.
    fn hand_over(&self, handle: BorrowedHandle<'_>) -> io::Result<u64> {
        match self {
            Self::Parent(_, peer) => give(peer.process()?, handle, Rights::Same),
            Self::Worker(_) => leave_for_another(handle),
        }
    }

    /// A handle that the other side has handed over.
    fn receive(&self, number: u64) -> io::Result<OwnedHandle> {
        match self {
            Self::Parent(_, peer) => take(peer.process()?, number),
            Self::Worker(_) => {
                // SAFETY: the parent has made it for this process, and says so once.
                unsafe { given(number) }.ok_or_else(|| io::ErrorKind::InvalidData.into())
            }
        }
    }
}

/// What is read from.
#[derive(Debug)]
pub(crate) struct StreamReadHalf {
    pipe: Arc<Pipe>,
    /// What was read, from inside a record or from its head on.
    received: BytesMut,
    /// The bytes of the record that is being read which are still to come.
    left: usize,
    has_ended: bool,
    /// What has come with the bytes that were read last.
    files: Option<ReceivedFiles>,
}

impl StreamReadHalf {
    /// Ends both directions, now.
    pub(crate) fn hang_up(&self) {
        if let Pipe::Parent(pipe, _) = &*self.pipe {
            let _ = pipe.disconnect();
        }
    }

    /// Reads what is there without waiting; `None` when nothing is.
    pub(crate) fn read_now(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        let mut buffer = ReadBuf::new(into);
        loop {
            if self.take(&mut buffer)? {
                return Ok(Some(buffer.filled().len()));
            }
            match self.fill() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until more can be read of what a process has left that has ended, which is there already, and only to be told
    /// of; false when nothing more comes. Cancel-safe.
    pub(crate) async fn has_more(&self) -> bool {
        let readable = timeout(LAST, poll_fn(|cx| self.pipe.poll_read_ready(cx)));
        !self.has_ended && matches!(readable.await, Ok(Ok(())))
    }

    /// The handles that came with the bytes that were read last.
    #[inline]
    pub(crate) fn take_files(&mut self) -> Option<ReceivedFiles> {
        self.files.take()
    }

    /// Reads what the pipe has.
    fn fill(&mut self) -> io::Result<()> {
        match self.pipe.try_read(&mut self.received) {
            Ok(0) => self.has_ended = true,
            Ok(_) => {}
            // Nobody has the other end any more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.has_ended = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes what was read, up to where other handles came. False when there is nothing, and more to come.
    fn take(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<bool> {
        let before = buffer.filled().len();
        while buffer.remaining() > 0 && !self.has_ended {
            if self.left == 0 {
                let has_some = buffer.filled().len() > before;
                if !self.next_record(has_some)? {
                    break;
                }
                continue;
            }
            let some = self.left.min(self.received.len()).min(buffer.remaining());
            if some == 0 {
                break;
            }
            buffer.put_slice(&self.received[..some]);
            self.received.advance(some);
            self.left -= some;
        }
        Ok(buffer.filled().len() > before || self.has_ended)
    }

    /// Begins the next record, if it has come. One with handles is not begun where bytes of another would come with them.
    fn next_record(&mut self, has_some: bool) -> io::Result<bool> {
        if has_some
            && self
                .received
                .get(4..6)
                .is_none_or(|handles| handles != [0, 0])
        {
            return Ok(false);
        }
        let broken = |_| io::Error::new(io::ErrorKind::InvalidData, "what came is no record");
        let Some((head, numbers)) = record::next(&mut self.received).map_err(broken)? else {
            return Ok(false);
        };
        self.left = head.bytes;
        self.has_ended = head.is_end;
        if head.is_process {
            if let (Pipe::Parent(_, peer), [pid]) = (&*self.pipe, &numbers[..]) {
                peer.is_process(*pid as u32)?;
            }
            return Ok(true);
        }
        if !numbers.is_empty() {
            let mut received = ReceivedFiles::default();
            for number in numbers {
                match self.pipe.receive(number) {
                    Ok(file) => received.files.push(file),
                    Err(error) if is_gone(&error) => {
                        self.has_ended = true;
                        return Ok(true);
                    }
                    Err(_) => received.cut = true,
                }
            }
            self.files = Some(received);
        }
        Ok(true)
    }
}

impl AsyncRead for StreamReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.take(buffer)? {
                return Poll::Ready(Ok(()));
            }
            ready!(self.pipe.poll_read_ready(cx))?;
            match self.fill() {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Poll::Ready(Err(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
}

/// What is written to.
#[derive(Debug)]
pub(crate) struct StreamWriteHalf {
    pipe: Arc<Pipe>,
    /// What the pipe has not taken yet, a record or some.
    unsent: BytesMut,
    until: Until,
    is_closed: bool,
}

impl StreamWriteHalf {
    /// Writes what there is room for, and hands over the files with the first byte of it.
    pub(crate) fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        files: &[BorrowedHandle<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(cx))?;
        let bytes = slices.iter().map(|slice| slice.len()).sum::<usize>();
        let bytes = bytes.min(RECORD_BYTES);
        let numbers = files.iter().map(|&file| self.pipe.hand_over(file));
        let numbers = numbers.collect::<io::Result<Vec<_>>>()?;
        record::write_head(bytes, &numbers, false, &mut self.unsent);
        let mut left = bytes;
        for slice in slices {
            let some = left.min(slice.len());
            self.unsent.put_slice(&slice[..some]);
            left -= some;
        }
        // What the pipe does not take now it is offered before anything else.
        match self.poll_send(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(bytes)),
        }
    }

    /// Sends what is not sent yet.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            ready!(self.pipe.poll_write_ready(cx))?;
            match self.pipe.try_write(&self.unsent) {
                Ok(written) => self.unsent.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more comes, in a direction that ends before its process. Where it does not, this shows when it is
    /// sent that all before was taken.
    fn close(&mut self) {
        if !self.is_closed {
            self.is_closed = true;
            let is_end = self.until == Until::Closed;
            record::write_mark(is_end, &mut self.unsent);
        }
    }
}

impl Drop for StreamWriteHalf {
    fn drop(&mut self) {
        if self.until == Until::Closed {
            self.close();
            // The other side may be gone already, or have no room: then it hears of the end when this process's end of the
            // pipe is closed.
            let _ = self.pipe.try_write(&self.unsent);
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

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        self.poll_send(cx)
    }
}
