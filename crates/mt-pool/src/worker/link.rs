//! The worker's end of the connection: handshake, assignments, heartbeats, `tracing` events, leave. What a role
//! says and hears is the role's business.
//!
//! Loop: one a worker, on a thread of its own that runs no user code.

use std::{
    io::{self, Write},
    mem,
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use mt_ipc::{
    Attached, FrameSender, HandshakeError, Progress, QueueLimits, Unconnected, WatchedThread,
    answered,
};
use mt_proto::{Assignment, Attachments, Beat, FromWorker, Limits, WorkerBeat};
use tokio::{
    runtime::Builder,
    task::coop::unconstrained,
    time::{Duration, MissedTickBehavior, interval},
};

use super::{
    lead::Lead,
    pause::Pause,
    role::{self, HUNG_UP, RoleEnd, RoleLink, RoleWork},
    trace::{Journal, LoadTimes, due},
    turn::{Use, while_waiting},
};
use crate::registry;

/// The most often a worker beats.
const SHORTEST_BEAT: Duration = Duration::from_millis(1);

/// The future that sends what is queued. Never dropped before the end.
type Writing<'a, F> = Pin<&'a mut F>;

/// Runs the link of a process that has said hello until all is sent and nothing more comes. `assign` gets the work, each
/// time there is some.
///
/// # Errors
/// The parent is gone, or there never was one; or it does not want this worker.
pub(crate) fn run(
    connection: Unconnected,
    assign: impl FnMut(RoleWork) + Send + 'static,
) -> Result<(), String> {
    let pause = Arc::new(Pause::default());
    let (mut runtime, parked) = (Builder::new_current_thread(), Arc::clone(&pause));
    runtime.on_thread_park(move || parked.park());
    let runtime = runtime.enable_all().build();
    let runtime = runtime.map_err(|error| format!("a runtime can't be made: {error}"))?;
    let lead = Arc::new(Lead::new(runtime));
    let turned = Arc::clone(&lead);
    let link = async move {
        let attached = connection.connect().map_err(|error| error.to_string())?;
        converse(attached, assign, (pause, turned)).await
    };
    // A task: woken from within, it goes on at once, where a runtime's first future would wait for a look at
    // the poller.
    let ended = lead.keep(lead.runtime().spawn(link));
    // The process ends: what the runtime has goes with it.
    mem::forget(lead);
    ended.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))
}

async fn converse(
    attached: Attached,
    mut assign: impl FnMut(RoleWork) + Send,
    (pause, lead): (Arc<Pause>, Arc<Lead>),
) -> Result<(), String> {
    let Attached {
        connection,
        progress,
        ..
    } = attached;
    let (sender, mut receiver, writer) = connection.open(Limits::default(), QueueLimits::default());
    let writer = writer.run();
    tokio::pin!(writer);
    let hung_up = || Err(HUNG_UP.to_owned());
    let welcome = tokio::select! {
        welcome = answered(&mut receiver, registry::fingerprint()) => welcome,
        _ = &mut writer => return hung_up(),
    };
    let welcome = welcome.map_err(|error| match error {
        HandshakeError::HungUp => HUNG_UP.to_owned(),
        error => error.to_string(),
    })?;
    pause.after(sender.clone());
    let mut link = RoleLink {
        sender: sender.clone(),
        attachments: Attachments::NONE,
        receiver,
        beat_interval: welcome.beat_interval.max(SHORTEST_BEAT),
        progress: progress.clone(),
        pause,
        lead,
        beaten: Arc::default(),
    };
    let mut rested = false;
    loop {
        let next = tokio::select! {
            next = next_assignment(&mut link) => next?,
            _ = &mut writer => return hung_up(),
        };
        let assignment = match next {
            Some(assignment) => assignment,
            None if rested => return say_bye(&sender, writer).await,
            None => return Err("the parent has no use for this worker".into()),
        };
        match play(assignment, link, &mut assign, writer.as_mut()).await? {
            RoleEnd::Done => return say_bye(&sender, writer).await,
            RoleEnd::Rested(back) => link = back,
        }
        rest(&sender, &progress);
        rested = true;
    }
}

/// Waits for what the parent wants of this process; `None` when it is to go.
async fn next_assignment(link: &mut RoleLink) -> Result<Option<Assignment>, String> {
    loop {
        match while_waiting(link.next().await?)? {
            Some(Use::Assigned(assignment)) => return Ok(Some(assignment)),
            Some(Use::None) => return Ok(None),
            None => {}
        }
    }
}

/// Plays a role to its end, with heartbeats and `tracing` events beside what it says.
async fn play(
    assignment: Assignment,
    mut link: RoleLink,
    assign: &mut (impl FnMut(RoleWork) + Send),
    mut writer: Writing<'_, impl Future<Output = io::Result<()>> + Send>,
) -> Result<RoleEnd, String> {
    let role = role::find(&assignment.role).ok_or_else(|| {
        let role = &assignment.role;
        format!("the parent assigns the role `{role}`, and this program has none of that name")
    })?;
    let (sender, progress) = (link.sender.clone(), link.progress.clone());
    let mut beats = interval(link.beat_interval);
    let mut beaten = None;
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let journal = Journal::open(assignment.trace, &progress);
    let mut pace = LoadTimes::default();
    link.attachments = assignment.attachments;
    let (work, mut session) = (role.start)(assignment.body, link);
    assign(work);
    let ended = loop {
        // All arms are cancel-safe; the session and the writer are not dropped.
        tokio::select! {
            // What was said is sent in the same turn. The writer's turns are not counted: it would find them used
            // up.
            biased;
            ended = &mut session => break ended,
            _ = unconstrained(writer.as_mut()) => break Err(HUNG_UP.into()),
            _ = beats.tick() => {
                let beat = beat_of(&progress);
                if beaten.replace(beat) == Some(beat) {
                    end_without_work_thread();
                }
                // A full control lane means that the parent does not read; it will find out by itself.
                let _ = sender.try_send(FromWorker::Beat(beat).into_frame());
            }
            () = crate::supervision::room_and(&sender, due(journal, &pace)) => {
                send_trace(&sender, journal, &mut pace);
            }
        }
    };
    send_trace(&sender, journal, &mut pace);
    ended
}

fn send_trace(sender: &FrameSender, journal: Option<&'static Journal>, pace: &mut LoadTimes) {
    if let Some(events) = journal.and_then(|journal| journal.take(pace)) {
        let _ = sender.try_send(events.into_frame());
    }
}

fn beat_of(progress: &Progress) -> WorkerBeat {
    WorkerBeat {
        beat: Beat::Alive,
        // First: what is seen to be finished was started.
        finished: progress.finished(),
        started: progress.started(),
        turns: progress.turns(),
    }
}

/// The thread that runs the user's code.
static WORK_THREAD: OnceLock<WatchedThread> = OnceLock::new();

/// Says that the thread that calls this is the one that runs the user's code.
pub(super) fn watch_work_thread() {
    if let Some(thread) = WatchedThread::current() {
        let _ = WORK_THREAD.set(thread);
    }
}

/// Ends a process in which nobody runs the user's code any more, and would go on beating for ever.
fn end_without_work_thread() {
    if WORK_THREAD.get().is_some_and(WatchedThread::has_ended) {
        // Among the last words, which are told with the death.
        let _ = writeln!(
            io::stderr(),
            "this worker process can't go on: the thread that runs tasks has ended alone, by the system call `exit` or a seccomp filter"
        );
        mt_ipc::end_worker();
    }
}

/// Starts counting over, and only then says so: the parent must not take old counts for new ones.
fn rest(sender: &FrameSender, progress: &Progress) {
    progress.set_started(0);
    progress.set_finished(0);
    progress.set_turns(0);
    progress.clear_notes();
    let _ = sender.try_send(FromWorker::Rested.into_frame());
}

async fn say_bye(
    sender: &FrameSender,
    writer: Writing<'_, impl Future<Output = io::Result<()>> + Send>,
) -> Result<(), String> {
    let _ = sender.try_send(FromWorker::Bye.into_frame());
    sender.close();
    writer.await.map_err(|error| error.to_string())
}
