//! Bytes through a socket, and files that are handed over with them.
//!
//! Files arrive with the first byte of those they were sent with, and nothing that was sent later comes in the same
//! call. What finds no room in this process (`EMFILE`) the system drops, and says so.
#![expect(
    unsafe_code,
    reason = "taking over descriptors, receiving into memory that is not initialised"
)]

use std::{
    io::{self, IoSlice},
    mem::{self, MaybeUninit},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    ptr,
};

use mt_proto::MAX_ATTACHMENTS;
use rustix::{
    io::Errno,
    net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};

/// Files that came with some bytes.
#[derive(Debug, Default)]
pub(crate) struct ReceivedFiles {
    pub(crate) files: Vec<OwnedFd>,
    /// Others found no room in this process.
    pub(crate) cut: bool,
}

/// Room for the files of one frame, and one more, so that too many can be told from too many for this process.
const SPACE: usize = rustix::cmsg_space!(ScmRights(MAX_ATTACHMENTS + 1));

/// No signal when nobody reads. Where there is no such flag the socket knows.
#[cfg(target_vendor = "apple")]
pub(super) const QUIETLY: SendFlags = SendFlags::empty();
#[cfg(not(target_vendor = "apple"))]
pub(super) const QUIETLY: SendFlags = SendFlags::NOSIGNAL;

/// Writes what there is room for. The other side may be dead: that is an error, and no signal that ends a
/// program which has given `SIGPIPE` back its default effect.
pub(super) fn send(
    socket: &UnixStream,
    slices: &[IoSlice<'_>],
    files: &[BorrowedFd<'_>],
) -> io::Result<usize> {
    if files.is_empty() {
        let nothing = &mut SendAncillaryBuffer::default();
        return Ok(sendmsg(socket, slices, nothing, QUIETLY)?);
    }
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(sendmsg(socket, slices, &mut control, QUIETLY)?)
}

/// Whether nothing is there, or no room, so that there is something to wait for.
pub(super) fn has_no_room(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Whether so many files are on their way that the system takes none just now, in all sockets of this user together.
pub(crate) fn has_too_many_on_the_way(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::TOOMANYREFS)
}

/// Reads what is there without waiting, with the files that came with it.
pub(super) fn receive_now(
    socket: impl AsFd,
    into: &mut [u8],
) -> io::Result<(usize, Option<ReceivedFiles>)> {
    // SAFETY: bytes of any value may be written to bytes that have one.
    let into = unsafe { &mut *(ptr::from_mut(into) as *mut [MaybeUninit<u8>]) };
    receive(socket, into, RecvFlags::DONTWAIT)
}

/// Reads what is there, with the files that came with it.
#[inline]
pub(super) fn receive(
    socket: impl AsFd,
    into: &mut [MaybeUninit<u8>],
    flags: RecvFlags,
) -> io::Result<(usize, Option<ReceivedFiles>)> {
    // Of 8 bytes each, so that it begins where a header may.
    let mut space = [MaybeUninit::<u64>::uninit(); SPACE.div_ceil(8)];
    let mut slice = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    // SAFETY: no name, no buffers and no flags is what all zeros mean.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut slice;
    message.msg_iovlen = 1;
    message.msg_control = space.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&space) as _;
    #[cfg(target_vendor = "apple")]
    let close_on_exec = RecvFlags::empty();
    #[cfg(not(target_vendor = "apple"))]
    let close_on_exec = RecvFlags::CMSG_CLOEXEC;
    let flags = (flags | close_on_exec).bits() as libc::c_int;
    // SAFETY: all that the message points to is there while the call lasts, as long as is said of it.
    let read = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, flags) };
    let read = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    let cut = message.msg_flags & libc::MSG_CTRUNC != 0;
    if message.msg_controllen == 0 && !cut {
        return Ok((read, None));
    }
    // SAFETY: the system has just filled it.
    let files = unsafe { files_of(&message) };
    Ok((read, Some(ReceivedFiles { files, cut })))
}

/// Takes over the descriptors in a message.
///
/// # Safety
/// The message is as the system has filled it, and nobody has taken its descriptors over.
#[cold]
unsafe fn files_of(message: &libc::msghdr) -> Vec<OwnedFd> {
    let mut files = Vec::new();
    // SAFETY: the caller has the message as the system has filled it.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !header.is_null() {
        // SAFETY: it is a header in the message's memory.
        let found = unsafe { header.read_unaligned() };
        if (found.cmsg_level, found.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: as above.
            let data = unsafe { libc::CMSG_DATA(header) };
            let bytes = found.cmsg_len as usize - (data.addr() - header.addr());
            for nth in 0..bytes / size_of::<libc::c_int>() {
                // SAFETY: so many bytes of numbers are there.
                let number = unsafe { data.cast::<libc::c_int>().add(nth).read_unaligned() };
                // SAFETY: the system has just opened it for this process, and nobody else knows its number.
                files.push(unsafe { OwnedFd::from_raw_fd(number) });
            }
        }
        // SAFETY: as for the first.
        header = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    #[cfg(target_vendor = "apple")]
    for file in &files {
        // What fails here is inherited by what this process starts, which is told nothing of it.
        let _ = rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC);
    }
    files
}
