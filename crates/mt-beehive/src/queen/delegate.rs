//! A delegated task, from the side of whoever waits for it.

use std::{
    any::type_name,
    borrow::Cow,
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use mt_pool::Wire;
use mt_proto::{DecodeError, Failure, RaisedException, TaskStatus, decode_guarded, encode_guarded};
use serde::{Serialize, de::DeserializeOwned};
use tokio::task::coop::unconstrained;

use super::watcher::{Watcher, watched, watcher};
use crate::{
    bee::WorkerBee,
    driver::CommandQueue,
    error::{CancelReason, CrossingError, CrossingProblem, DelegateError, Exception, Part},
    machine::{
        BUSY_STATUS,
        parent::{Request, TaskOutcome},
    },
    registry::MAX_MESSAGE_BYTES,
    returned::{not_a, typed},
    types::TaskTypes,
};

/// The most bytes of a task's name.
const MAX_NAME_BYTES: usize = 1024;

/// The worker bee that did a task: 0, 1, 2 … in the order they were spawned, never used again. `None`
/// when nobody did it (the seed's -1).
pub type ChildId = Option<u32>;

/// A task to be delegated: a future of its value, or of why there is none. Nothing happens until it is polled;
/// dropped after that, it cancels the task.
///
/// `E` is the type of the error that the task returns, if that can cross, and otherwise [`Exception`], its text.
#[must_use = "a task is delegated when this is awaited"]
#[doc(alias = "TaskResult")]
pub struct Delegate<R, E = Exception>(WithBee<R, E>);

/// A task to be delegated: a future of its value, or of why there is none, and of who did it. Made by
/// [`Delegate::with_bee`].
#[must_use = "a task is delegated when this is awaited"]
pub struct WithBee<R, E = Exception>(Delegating<R, E>);

enum Delegating<R, E> {
    /// Not delegated yet.
    Idle(Errand, Reads<R, E>),
    Waiting(Pin<Box<dyn Future<Output = Outcome<R, E>> + Send>>),
    Over,
}

type Outcome<R, E> = (Result<R, DelegateError<E>>, ChildId);

/// What is to be delegated, and how.
struct Errand {
    commands: Arc<CommandQueue>,
    called: Called,
    args: Result<Vec<u8>, Box<CrossingError>>,
    deadline: Option<Duration>,
    watcher: Option<Watcher>,
}

/// Makes of what a task returned what is told of it.
#[derive(Clone, Copy)]
struct Reads<R, E> {
    value: fn(&[u8]) -> Result<R, DecodeError>,
    raised: ReadRaised<E>,
}

/// Makes of an error that was returned what is told of it.
type ReadRaised<E> = fn(RaisedException) -> Result<E, CrossingProblem>;

/// Whom a task is delegated to, and its name.
struct Called {
    bee: &'static BeeNames,
    name: Cow<'static, str>,
    /// The type of the arguments that were given.
    args: &'static str,
}

/// A kind of worker bee, by name.
struct BeeNames {
    name: &'static str,
    tasks: &'static [&'static str],
    types: &'static [TaskTypes],
}

impl<R: Wire> Delegate<R> {
    /// The type of the error that the task returns, for a task that is delegated by name: without this, errors are
    /// told as text. What is no `F` is a [`DelegateError::Crossing`].
    ///
    /// # Panics
    /// When the delegate has been polled.
    pub fn raises<F: Wire>(self) -> Delegate<R, F> {
        let Delegating::Idle(errand, Reads { value, .. }) = self.0.0 else {
            panic!("the type of a task's error is named after it was delegated");
        };
        let raised = typed::<F>;
        Delegate(WithBee(Delegating::Idle(errand, Reads { value, raised })))
    }
}

#[cfg(feature = "json")]
impl Delegate<serde_json::Value> {
    /// A task whose arguments come as JSON, and whose value is told as JSON.
    pub(super) fn of_json<W: WorkerBee>(
        commands: Arc<CommandQueue>,
        name: Cow<'static, str>,
        args: serde_json::Value,
    ) -> Self {
        use crate::json::untyped;
        let bee = names_of::<W>();
        let types = bee.types_of(&name);
        let named = type_name::<serde_json::Value>;
        let called = Called {
            bee,
            args: types.map_or_else(named, |types| types.names().args),
            name,
        };
        let known = bee.tasks.contains(&&*called.name);
        let args = || match types {
            // guarded: in there.
            Some(types) => (types.json.args)(args, MAX_MESSAGE_BYTES),
            None if known => Err(untyped()),
            // The answer is that there is no such task.
            None => Ok(Vec::new()),
        };
        let reads = Reads {
            value: types.map_or(decode_guarded::<serde_json::Value>, |types| {
                types.json.value
            }),
            raised: |error| Ok(error.into()),
        };
        Self::of(commands, called, args, reads)
    }
}

impl<R, E> Delegate<R, E> {
    /// A task whose returned errors are told as `raised` has it.
    pub(super) fn new<W: WorkerBee, A: Serialize>(
        commands: Arc<CommandQueue>,
        name: Cow<'static, str>,
        args: &A,
        raised: ReadRaised<E>,
    ) -> Self
    where
        R: Wire,
    {
        let called = Called {
            bee: names_of::<W>(),
            name,
            args: type_name::<A>(),
        };
        let args = || Ok(encode_guarded(args, MAX_MESSAGE_BYTES)?);
        let value = decode_guarded::<R>;
        Self::of(commands, called, args, Reads { value, raised })
    }

    fn of(
        commands: Arc<CommandQueue>,
        called: Called,
        args: impl FnOnce() -> Result<Vec<u8>, CrossingProblem>,
        reads: Reads<R, E>,
    ) -> Self {
        let name = &called.name;
        let args = match name.len() {
            0..=MAX_NAME_BYTES => {
                args().map_err(|problem| CrossingError::new(name, Part::Arguments, problem))
            }
            _ => Err(CrossingError::too_large(
                name,
                Part::Name,
                MAX_NAME_BYTES as u64,
            )),
        };
        let errand = Errand {
            commands,
            called,
            args: args.map_err(Box::new),
            deadline: None,
            watcher: None,
        };
        Self(WithBee(Delegating::Idle(errand, reads)))
    }

    /// The same as a future of the outcome and of the id of the worker bee that did the task, if one did.
    pub fn with_bee(self) -> WithBee<R, E> {
        self.0
    }

    /// Calls `tell` with how far the task is, as often as it says so by
    /// [`TaskCx::progress`](crate::TaskCx::progress). `P` is what it says there.
    ///
    /// `tell` is called where this is awaited, and by nobody else: while that is not polled the values that
    /// come replace each other, and neither the bee nor the hive waits. The last one before the task's end is
    /// always told. When its bee dies and another begins it again, so does what is told. What is no `P` is
    /// dropped, with a `tracing` event of level warn. A second call replaces the first one's function, and
    /// nothing changes once it has been polled.
    ///
    /// To look at it from elsewhere, let `tell` put it into a channel:
    ///
    /// ```
    /// # use mt_beehive::Delegate;
    /// # fn show(task: Delegate<()>) {
    /// let (latest, looks) = tokio::sync::watch::channel(0.0);
    /// let task = task.on_progress(move |part: f64| drop(latest.send_replace(part)));
    /// # }
    /// ```
    pub fn on_progress<P: DeserializeOwned>(
        mut self,
        tell: impl FnMut(P) + Send + 'static,
    ) -> Self {
        if let Delegating::Idle(errand, _) = &mut self.0.0 {
            errand.watcher = Some(watcher(tell));
        }
        self
    }

    /// How long the task may take, waiting for a bee included, but not for one of the 65 536 places when all are
    /// taken. The task is then cancelled, [`CancelReason::Deadline`]; a bee that does not let go of it is killed,
    /// and its other tasks are done by others. One whose bee was dying by then, and dumps core, say, is lost with her,
    /// [`CancelReason::WorkerLost`], once she is gone. No limit by default. Changes nothing once the delegate has been
    /// polled.
    pub fn deadline(mut self, limit: Duration) -> Self {
        if let Delegating::Idle(errand, _) = &mut self.0.0 {
            errand.deadline = Some(limit);
        }
        self
    }
}

impl<R: Wire, E: 'static> Future for Delegate<R, E> {
    type Output = Result<R, DelegateError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (outcome, _) = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(outcome)
    }
}

impl<R: Wire, E: 'static> Future for WithBee<R, E> {
    type Output = (Result<R, DelegateError<E>>, ChildId);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = match mem::replace(&mut self.0, Delegating::Over) {
            // Not held to tokio's budget for one turn: among a thousand delegates, those that come after it is spent
            // would be polled again and again. None of them is ever ready without somebody else's doing.
            Delegating::Idle(errand, reads) => Box::pin(unconstrained(errand.run(reads))),
            Delegating::Waiting(answer) => answer,
            Delegating::Over => panic!("a delegate is polled after its end"),
        };
        let polled = answer.as_mut().poll(cx);
        if polled.is_pending() {
            self.0 = Delegating::Waiting(answer);
        }
        polled
    }
}

impl<R, E> fmt::Debug for Delegate<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delegate").field(&self.0.0.about()).finish()
    }
}

impl<R, E> fmt::Debug for WithBee<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WithBee").field(&self.0.about()).finish()
    }
}

impl<R, E> Delegating<R, E> {
    fn about(&self) -> &str {
        match self {
            Self::Idle(errand, _) => &errand.called.name,
            Self::Waiting(_) => "under way",
            Self::Over => "over",
        }
    }
}

impl Errand {
    async fn run<R, E>(self, reads: Reads<R, E>) -> Outcome<R, E> {
        let args = match self.args {
            Ok(args) => args,
            Err(error) => return (Err(DelegateError::Crossing(*error)), None),
        };
        let closed = || {
            let closed = DelegateError::Cancelled(CancelReason::HiveClosed);
            (Err(closed), None)
        };
        let Some(permit) = self.commands.permit().await else {
            return closed();
        };
        let request = Request {
            name: self.called.name.clone(),
            args: args.into(),
            limit: self.deadline,
        };
        let (progress, told) = self.watcher.map(watched).unzip();
        let Some((waits, reply)) = self.commands.ask(permit, request, progress) else {
            return closed();
        };
        let answered = match told {
            Some(told) => told.until(reply).await,
            None => reply.await,
        };
        waits.answered();
        match answered {
            Ok((end, child)) => (self.called.outcome(end, reads), child),
            Err(_) => closed(),
        }
    }
}

fn names_of<W: WorkerBee>() -> &'static BeeNames {
    const {
        &BeeNames {
            name: W::NAME,
            tasks: W::TASKS,
            types: W::TYPES,
        }
    }
}

impl BeeNames {
    /// The types of a task, if they are known.
    fn types_of(&self, task: &str) -> Option<&'static TaskTypes> {
        const BUSY: &TaskTypes = &TaskTypes::of::<(), f64>();
        if task == BUSY_STATUS {
            return Some(BUSY);
        }
        let place = self.tasks.iter().position(|&name| name == task)?;
        self.types.get(place)
    }
}

impl Called {
    fn outcome<R, E>(&self, end: TaskOutcome, reads: Reads<R, E>) -> Result<R, DelegateError<E>> {
        let status = match end {
            TaskOutcome::Told(status) => status,
            TaskOutcome::Cancelled(reason) => return Err(DelegateError::Cancelled(*reason)),
        };
        let types = self.bee.types_of(&self.name).map(TaskTypes::names);
        let crossing = |part, problem: CrossingProblem| {
            let problem = match (part, types) {
                (Part::Arguments, Some(types)) => problem.between(self.args, types.args),
                (Part::Value, Some(types)) => problem.between(types.value, type_name::<R>()),
                _ => problem,
            };
            let error = CrossingError::new(&self.name, part, problem);
            DelegateError::Crossing(error)
        };
        Err(match status {
            TaskStatus::Succeeded { returning_value } => {
                // guarded: each of them is `decode_guarded` or made of that.
                return (reads.value)(&returning_value)
                    .map_err(|error| crossing(Part::Value, not_a::<R>(&error)));
            }
            // guarded: made of `decode_guarded`, too.
            TaskStatus::Raised(error) => match (reads.raised)(*error) {
                Ok(error) => DelegateError::Raised(error),
                Err(problem) => crossing(Part::Error, problem),
            },
            TaskStatus::Failed(failure) => failed(*failure, crossing),
            TaskStatus::NoSuchTask => self.no_such_task(),
            TaskStatus::Cancelled => DelegateError::Cancelled(CancelReason::Unasked),
        })
    }

    fn no_such_task<E>(&self) -> DelegateError<E> {
        let tasks = self.bee.tasks.iter().chain(&[BUSY_STATUS]);
        DelegateError::NoSuchTask {
            bee: self.bee.name.to_owned(),
            name: self.name.clone().into_owned(),
            tasks: tasks.map(|&task| task.to_owned()).collect(),
        }
    }
}

/// What a bee says of a call without an outcome of its own. The limits of time and of contexts are the pool's.
fn failed<E>(
    failure: Failure,
    crossing: impl Fn(Part, CrossingProblem) -> DelegateError<E>,
) -> DelegateError<E> {
    match failure {
        Failure::Panicked {
            message,
            location,
            backtrace,
        } => DelegateError::Panicked(Exception::panicked(message, location, &backtrace)),
        Failure::Undecodable { message } => {
            crossing(Part::Arguments, CrossingProblem::undecodable(message))
        }
        Failure::Unserialisable { message } => {
            crossing(Part::Value, CrossingProblem::Unserialisable { message })
        }
        Failure::TooLarge { limit_bytes } => {
            crossing(Part::Value, CrossingProblem::TooLarge { limit_bytes })
        }
        Failure::Context { message, .. } => DelegateError::NoHive { message },
        Failure::TimedOut { .. } | _ => DelegateError::Cancelled(CancelReason::Unasked),
    }
}
