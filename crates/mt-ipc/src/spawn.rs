//! Starting worker processes. The only place that does.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    thread,
};

use mt_proto::guarded;

use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
};

use crate::{
    CapturedOutput, ChildProcess, Connection, OutputReader, Progress, ResourceLimits, SpawnError,
    Surroundings, WorkerStderr, WorkerStdout,
    output::{Forward, Lines, RING_BYTES},
    platform::{self, CapturedFiles, Greeting, Output, OutputPipe},
};

/// The most requests waiting for the thread that starts workers. Callers wait beyond it.
const SPAWN_QUEUE: usize = 64;

/// Which program a worker is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Program {
    /// The program of this very process, started again.
    #[default]
    Own,
    /// Another file, for hosts that embed the library: a program of the same build whose `main`
    /// starts with `init()`.
    File(PathBuf),
}

/// How to start a worker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkerCommand {
    /// The program.
    pub program: Program,
    /// The program's arguments. `init()` looks at none; a test harness needs some.
    pub args: Vec<OsString>,
    /// Where the standard output goes.
    pub stdout: WorkerStdout,
    /// Where the standard error goes.
    pub stderr: WorkerStderr,
    /// Whether the worker keeps those descriptors of this process above 2 that are not marked close-on-exec.
    /// Default: no, it closes them before it works, so that a listener, a lock or a pipe of this process ends
    /// with this process.
    pub inherit_descriptors: bool,
    /// Whether the worker ignores a `SIGTERM` that its parent has not sent, from its first steps on: a service manager's,
    /// that goes to all processes of a service, say. Programs that it starts have the signal's default effect. Default: no.
    pub ignores_terminate: bool,
    /// The folder and the environment it starts in; `None` for those that this process has when it is started.
    pub surroundings: Option<Surroundings>,
    /// The stack that the thread of the worker's code is to have, in bytes: the worker is told
    /// ([`Inherited::stack_bytes`](crate::Inherited::stack_bytes)), and does the rest.
    pub stack_bytes: u64,
    /// The worker's slot, if it has one, of which it is told by [`Inherited::slot`](crate::Inherited::slot) and by the
    /// environment variable [`SLOT_VARIABLE`].
    pub slot: Option<u32>,
    /// The worker's niceness, which it sets in its first steps; `None` for that of this process.
    pub niceness: Option<u8>,
    /// What the worker limits itself to in its first steps.
    pub limits: ResourceLimits,
    /// A program and its arguments that are put before the worker's program, and start it: by `exec`, or as a child that
    /// they wait for. Empty for none.
    pub wrapper: Vec<OsString>,
}

/// The environment variable that tells a worker its slot.
pub const SLOT_VARIABLE: &str = "MT_WORKER_SLOT";

/// A worker that was just started. It has not said hello yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Spawned {
    /// The process.
    pub process: ChildProcess,
    /// The parent's end of its connection.
    pub connection: Connection,
    /// What it will have started and finished.
    pub progress: Progress,
    /// What it writes to its standard output, if that is forwarded.
    pub stdout: Option<OutputReader>,
    /// What it writes to its standard output, if that is captured.
    pub captured: Option<CapturedOutput>,
    /// What it writes to its standard error, unless that is inherited.
    pub stderr: Option<OutputReader>,
}

/// Starts a worker process, connected to this one. Must be called within a tokio runtime that has IO
/// and time enabled; the connection and the process belong to that runtime.
///
/// Cancel-safe: a worker whose caller has gone away is killed and reaped.
///
/// # Errors
/// [`SpawnError`]; nothing is left behind.
pub async fn spawn(command: WorkerCommand) -> Result<Spawned, SpawnError> {
    request(command).started().await
}

/// Asks for a worker process like [`spawn`](spawn()), and does not wait: it is started while its owner goes on.
/// Must be called within the runtime that its connection is to belong to.
#[must_use]
pub fn request(command: WorkerCommand) -> SpawnRequest {
    let (answer, started) = oneshot::channel();
    let request = Request {
        command,
        runtime: Handle::current(),
        answer,
    };
    let unsent = match spawner() {
        Err(error) => Some(Err(error)),
        Ok(spawner) => match spawner.try_send(request) {
            Ok(()) => None,
            Err(TrySendError::Full(request)) => Some(Ok(request)),
            Err(TrySendError::Closed(_)) => Some(Err(SpawnError::Spawner)),
        },
    };
    SpawnRequest { unsent, started }
}

/// A worker process that was asked for by [`request`]. Dropped, that is killed and reaped.
#[derive(Debug)]
pub struct SpawnRequest {
    /// What found no room, or why there is nobody to ask.
    unsent: Option<Result<Request, SpawnError>>,
    started: oneshot::Receiver<Result<Spawned, SpawnError>>,
}

impl SpawnRequest {
    /// A request for a worker that can't be started, for this reason.
    #[must_use]
    pub fn failed(error: SpawnError) -> Self {
        let (_, started) = oneshot::channel();
        let unsent = Some(Err(error));
        Self { unsent, started }
    }

    /// Waits until the process is started. Cancel-safe: nothing is left behind.
    ///
    /// # Errors
    /// [`SpawnError`].
    pub async fn started(self) -> Result<Spawned, SpawnError> {
        if let Some(request) = self.unsent.transpose()? {
            let sent = spawner()?.send(request).await;
            sent.map_err(|_| SpawnError::Spawner)?;
        }
        self.started.await.map_err(|_| SpawnError::Spawner)?
    }
}

#[derive(Debug)]
struct Request {
    command: WorkerCommand,
    runtime: Handle,
    answer: oneshot::Sender<Result<Spawned, SpawnError>>,
}

/// The thread that starts all workers of this process. It lives as long as the process: Linux sends
/// the parent-death signal when the *thread* that started a child ends. Being one thread, it also
/// keeps two starts from inheriting each other's descriptors where close-on-exec is not atomic.
fn spawner() -> Result<&'static mpsc::Sender<Request>, SpawnError> {
    static SPAWNER: OnceLock<(mpsc::Sender<Request>, u32)> = OnceLock::new();
    // Only as long as there is none: who has failed to start one is no reason not to try again.
    static STARTING: Mutex<()> = Mutex::new(());
    if SPAWNER.get().is_none() {
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if SPAWNER.get().is_none() {
            let requests = start_spawner().map_err(SpawnError::Thread)?;
            let _ = SPAWNER.set((requests, process::id()));
        }
    }
    match SPAWNER.get() {
        // A process forked off this one has no such thread and would wait for ever.
        Some((requests, owner)) if *owner == process::id() => Ok(requests),
        Some(_) | None => Err(SpawnError::Spawner),
    }
}

fn start_spawner() -> io::Result<mpsc::Sender<Request>> {
    let (sender, mut requests) = mpsc::channel::<Request>(SPAWN_QUEUE);
    let run = move || {
        while let Some(request) = requests.blocking_recv() {
            let _entered = request.runtime.enter();
            // A runtime without IO makes this panic. That must not end the thread for others.
            let started = guarded(|| start(request.command)).unwrap_or(Err(SpawnError::Spawner));
            // Dropping what nobody waits for any more kills it.
            let _ = request.answer.send(started);
        }
    };
    let named = thread::Builder::new().name("mt-spawner".into());
    named.spawn(run)?;
    Ok(sender)
}

fn start(request: WorkerCommand) -> Result<Spawned, SpawnError> {
    platform::has_room()?;
    let program = match &request.program {
        Program::Own if request.wrapper.is_empty() => platform::own_program()?,
        Program::Own => platform::own_file()?,
        Program::File(path) => path.clone(),
    };
    let started = request.wrapper.first().map_or(program.as_ref(), Path::new);
    let mut command = Command::new(started);
    let outputs = Outputs::of(&request, &mut command)?;
    let greeting = Greeting {
        keeps_descriptors: request.inherit_descriptors,
        ignores_terminate: request.ignores_terminate,
        stack_bytes: request.stack_bytes,
        slot: request.slot,
        niceness: request.niceness,
        limits: request.limits,
        captures: outputs.captured.is_some(),
    };
    let (ours, page, theirs) = platform::connected_pair(greeting, outputs.captured.as_ref())?;
    // Before there is a process: a runtime that can't do IO, or is shutting down, shows here.
    let stream = platform::Stream::from_std(ours)?;
    let shown = shown_name(started);
    platform::keep_exit_statuses();
    let failed = |source| SpawnError::Program {
        program: shown.clone(),
        source,
    };

    add_args(&request, &program, &mut command);
    if let Some(surroundings) = &request.surroundings {
        surroundings.apply(&mut command)?;
    }
    if let Some(slot) = request.slot {
        command.env(SLOT_VARIABLE, slot.to_string());
    }
    let name = request.wrapper.is_empty().then(|| file_name(&shown));
    let introduction = platform::prepare(&mut command, name, theirs)?;
    // Not `kill_on_drop`: it kills by number also when somebody else has reaped the process long ago.
    let mut command = tokio::process::Command::from(command);
    let child = command.spawn().map_err(failed)?;
    // The command still holds the worker's end; without this its death would not end the connection.
    drop(command);

    child.id().into_iter().for_each(platform::end_before_this);
    let process = ChildProcess::new(child).map_err(failed)?;
    introduction.complete(process.as_process(), &stream)?;
    let progress = Progress::new(page);
    let captured = |files| CapturedOutput::new(files, progress.clone());
    Ok(Spawned {
        captured: outputs.captured.map(captured),
        process,
        connection: Connection::over_stream(stream, platform::Until::Closed),
        progress,
        stdout: outputs.stdout.map(PipedOutput::read),
        stderr: outputs.stderr.map(PipedOutput::read),
    })
}

/// The arguments of a worker, or of the wrapper that starts it.
fn add_args(request: &WorkerCommand, program: &Path, command: &mut Command) {
    if let [_, args @ ..] = &request.wrapper[..] {
        command.args(args).arg(program);
    }
    if platform::MARKS_BY_ARGUMENT || !request.wrapper.is_empty() {
        command.arg(platform::WRAPPED_MARK);
    }
    command.args(&request.args);
}

/// What this process reads of a worker.
struct Outputs {
    stdout: Option<PipedOutput>,
    captured: Option<CapturedFiles>,
    stderr: Option<PipedOutput>,
}

impl Outputs {
    /// Sets where a command writes.
    fn of(request: &WorkerCommand, command: &mut Command) -> io::Result<Self> {
        if request.stdout == WorkerStdout::Null {
            command.stdout(Stdio::null());
        }
        let captures = request.stdout == WorkerStdout::Capture;
        let captured = captures.then(|| CapturedFiles::new(command, RING_BYTES));
        let lines = request.stdout.lines(request.slot);
        let stdout =
            lines.map(|lines| PipedOutput::forwarded(command, Output::Stdout, Some(lines)));
        let stderr = match request.stderr {
            WorkerStderr::Inherit => None,
            WorkerStderr::Discard => Some(PipedOutput::kept(command)),
            WorkerStderr::Forward => {
                let lines = Some(Lines::default());
                Some(PipedOutput::forwarded(command, Output::Stderr, lines))
            }
            WorkerStderr::ForwardRaw => Some(PipedOutput::forwarded(command, Output::Stderr, None)),
        };
        Ok(Self {
            stdout: stdout.transpose()?,
            captured: captured.transpose()?,
            stderr: stderr.transpose()?,
        })
    }
}

/// A pipe that a worker writes to, and what becomes of what comes out of it.
struct PipedOutput {
    pipe: OutputPipe,
    forward: Option<Forward>,
    lines: Option<Lines>,
}

impl PipedOutput {
    fn forwarded(command: &mut Command, output: Output, lines: Option<Lines>) -> io::Result<Self> {
        Ok(Self {
            pipe: platform::pipe_for(command, output)?,
            forward: Some(Forward::new(output)?),
            lines,
        })
    }

    /// Standard error of which only the end is of interest.
    fn kept(command: &mut Command) -> io::Result<Self> {
        Ok(Self {
            pipe: platform::pipe_for(command, Output::Stderr)?,
            forward: None,
            lines: None,
        })
    }

    fn read(self) -> OutputReader {
        OutputReader::read(self.pipe, self.forward, self.lines)
    }
}

/// A path without its folders.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn shown_name(program: &Path) -> String {
    let own = (program == Path::new("/proc/self/exe")).then(env::current_exe);
    let shown = own.and_then(Result::ok);
    shown.as_deref().unwrap_or(program).display().to_string()
}
