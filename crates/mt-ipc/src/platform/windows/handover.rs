//! How a worker gets its end of the connection: as its standard input. The rest it is told through that when it is there.
#![expect(
    unsafe_code,
    reason = "standard input, and handles that were given to this process"
)]

use std::{
    fs::File,
    io,
    os::windows::{
        io::{AsHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle},
        process::CommandExt,
    },
    process::{Command, Stdio},
};

use bytes::{BufMut, BytesMut};
use windows_sys::Win32::{
    Foundation::INVALID_HANDLE_VALUE,
    Storage::FileSystem::SYNCHRONIZE,
    System::{
        Console::{GetStdHandle, STD_INPUT_HANDLE, SetStdHandle},
        Threading::{CREATE_NEW_PROCESS_GROUP, CREATE_SUSPENDED, GetCurrentProcess},
    },
};

use super::{
    super::{
        Page,
        greeting::{GREETING_BYTES, Greeting},
    },
    CapturedFiles, Process, Stream,
    guard::Guard,
    handles::{Rights, checked, give_with_all_below, given, keep_here, lent},
    overlapped,
    pipe::{Ways, pair},
    process, record, start,
};
use crate::{AttachError, Inherited, Progress, StdoutCapture, attach::while_doing};

/// An end of a connection that no runtime watches yet.
pub(crate) type Socket = OwnedHandle;

/// A worker is known by its first argument: it has the name of its program.
pub(crate) const MARKS_BY_ARGUMENT: bool = true;

/// The handles that a worker is given: the progress page, its parent, and what captures its standard output.
const HANDLES: usize = 4;
/// The greeting, and the numbers of the handles, 0 for none.
const TOLD_BYTES: usize = GREETING_BYTES + 8 * HANDLES;

/// A worker's end of a connection, and what it is told when it is there.
#[derive(Debug)]
pub(crate) struct WorkerEnd {
    client: OwnedHandle,
    told: Introduction,
}

/// What a worker is still to be told when it is started.
#[derive(Debug)]
pub(crate) struct Introduction {
    greeting: Greeting,
    page: OwnedHandle,
    captured: Option<[OwnedHandle; 2]>,
}

/// The parent's end of a pair, the progress page, and the worker's end.
pub(crate) fn connected_pair(
    greeting: Greeting,
    captured: Option<&CapturedFiles>,
) -> io::Result<(Socket, Page, WorkerEnd)> {
    let (ours, client) = pair(Ways::Both)?;
    let (page, file) = Page::create()?;
    let captured = captured.map(|captured| {
        let [pipe, file] = captured.as_handles();
        Ok::<_, io::Error>([pipe.try_clone_to_owned()?, file.try_clone_to_owned()?])
    });
    let told = Introduction {
        greeting,
        page: file,
        captured: captured.transpose()?,
    };
    Ok((ours, page, WorkerEnd { client, told }))
}

/// Makes `command` start as a worker: its end of the connection as standard input, and a process group of its own, so that
/// the console's Ctrl-C does not reach it. The process waits for its [introduction](Introduction::complete) before it
/// runs.
pub(crate) fn prepare(
    command: &mut Command,
    _program: Option<&str>,
    theirs: WorkerEnd,
) -> io::Result<Introduction> {
    command
        .stdin(Stdio::from(theirs.client))
        .creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_SUSPENDED);
    Ok(theirs.told)
}

impl Introduction {
    /// Gives a process that has not run yet what a worker is given, and lets it run. It may be a wrapper, and hand all on to
    /// the worker that it starts.
    pub(crate) fn complete(self, worker: &Process, stream: &Stream) -> io::Result<()> {
        let process = worker.handle().ok_or(io::ErrorKind::NotFound)?;
        // SAFETY: the pseudo handle of this process is never closed.
        let parent = unsafe { lent(&(), GetCurrentProcess()) };
        let page = give_with_all_below(process, self.page.as_handle(), Rights::Same)?;
        let parent = give_with_all_below(process, parent, Rights::Only(SYNCHRONIZE))?;
        let captured = self.captured.map(|captured| {
            let [pipe, file] = captured.each_ref().map(AsHandle::as_handle);
            let pipe = give_with_all_below(process, pipe, Rights::Same)?;
            let file = give_with_all_below(process, file, Rights::Same)?;
            Ok::<_, io::Error>([pipe, file])
        });
        let [pipe, file] = captured.transpose()?.unwrap_or_default();
        let mut told = BytesMut::with_capacity(TOLD_BYTES);
        told.put_slice(&self.greeting.to_bytes(std::process::id()));
        for handle in [page, parent, pipe, file] {
            told.put_u64_le(handle);
        }
        stream.belongs_to(process)?;
        overlapped::write_all(stream.as_handle(), &told)?;
        process::let_run(process)
    }
}

/// Takes the connection over from standard input, which becomes the null device, and ties this
/// process to its parent.
pub(crate) fn take_over() -> Result<Inherited, AttachError> {
    let socket = take_stdin()?;
    let (greeting, handles) = receive_greeting(socket.as_handle())?;
    // SAFETY: the parent has made them for this process, and nobody else here knows of them.
    let [page, parent, pipe, file] = handles.map(|number| unsafe { given(number) });
    let all = [&page, &parent, &pipe, &file].into_iter().flatten();
    let kept = all.map(keep_here).collect::<io::Result<()>>();
    kept.map_err(while_doing("keeping handles from programs"))?;
    let missing = || AttachError::NoConnection(no_greeting());
    let (page, parent) = page.zip(parent).ok_or_else(missing)?;
    say_who_this_is(socket.as_handle()).map_err(while_doing("telling the process's id"))?;
    if let Some(niceness) = greeting.niceness {
        let set = start::set_niceness(niceness);
        set.map_err(while_doing("setting the priority"))?;
    }
    let limited = greeting.limits.apply();
    limited.map_err(while_doing("setting a resource limit"))?;
    let page = Page::map(page.as_handle());
    let page = page.map_err(while_doing("mapping the memory shared with the parent"))?;
    let progress = Progress::new(page);
    let guard = Guard::new(parent, &progress);
    let captured = pipe
        .zip(file)
        .map(|(pipe, file)| CapturedFiles { pipe, file });
    let capture = captured.map(|files| StdoutCapture::new(files, progress.clone()));
    let capture = capture.transpose();
    let capture = capture.map_err(while_doing("mapping the memory of standard output"))?;
    Ok(Inherited {
        capture,
        socket,
        progress,
        guard,
        stack_bytes: greeting.stack_bytes,
        slot: greeting.slot,
        keeps_descriptors: greeting.keeps_descriptors,
    })
}

fn receive_greeting(socket: BorrowedHandle<'_>) -> Result<(Greeting, [u64; HANDLES]), AttachError> {
    let mut told = [0; TOLD_BYTES];
    let mut received = 0;
    while received < TOLD_BYTES {
        match overlapped::read(socket, &mut told[received..]) {
            Ok(0) => return Err(AttachError::ParentGone),
            Ok(more) => received += more,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Err(AttachError::ParentGone);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let (greeting, numbers) = told.split_first_chunk().ok_or_else(no_greeting)?;
    let (_, greeting) = Greeting::from_bytes(greeting).ok_or_else(no_greeting)?;
    let (numbers, _) = numbers.as_chunks::<8>();
    let mut numbers = numbers.iter().copied().map(u64::from_le_bytes);
    let handles = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    Ok((greeting, handles))
}

fn no_greeting() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no greeting from a parent")
}

/// Takes the connection, and puts the null device in its place, so that a task that reads standard input, or a program it
/// starts, can't touch it.
fn take_stdin() -> Result<Socket, AttachError> {
    // SAFETY: it takes a number.
    let stdin = unsafe { GetStdHandle(STD_INPUT_HANDLE) };
    if stdin.is_null() || stdin == INVALID_HANDLE_VALUE {
        return Err(AttachError::NoConnection(io::ErrorKind::NotFound.into()));
    }
    let null = File::open("NUL").map_err(while_doing("opening the null device"))?;
    // A copy that no program inherits.
    // SAFETY: standard input is open until it is replaced below.
    let socket = unsafe { lent(&(), stdin) }.try_clone_to_owned();
    let socket = socket.map_err(while_doing("moving the connection"))?;
    // SAFETY: the null device stays open for good, as standard input.
    let moved = checked(unsafe { SetStdHandle(STD_INPUT_HANDLE, null.into_raw_handle()) });
    moved.map_err(while_doing("replacing the standard input"))?;
    // SAFETY: it was given to this process as standard input, which is another one now; this is called once.
    drop(unsafe { OwnedHandle::from_raw_handle(stdin) });
    Ok(socket)
}

/// Tells the parent which process has the connection now: one that a wrapper has started is not the parent's child.
fn say_who_this_is(socket: BorrowedHandle<'_>) -> io::Result<()> {
    let mut out = BytesMut::new();
    record::write_process(std::process::id(), &mut out);
    overlapped::write_all(socket, &out)
}

/// Sends a few bytes, for which there is room in a connection in which nothing was sent yet.
pub(crate) fn send_now(socket: &Socket, bytes: &[u8]) {
    let mut out = BytesMut::new();
    record::write_head(bytes.len(), &[], false, &mut out);
    out.put_slice(bytes);
    let _ = overlapped::write_all(socket.as_handle(), &out);
}
