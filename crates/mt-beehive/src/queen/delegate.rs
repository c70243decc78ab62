//! A delegated task, from the side of whoever waits for it.

use std::{
    borrow::Cow,
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use mt_pool::Wire;
use mt_proto::{Failure, RaisedException, TaskStatus, decode_strict, encode};
use serde::{Serialize, de::DeserializeOwned};
use tokio::task::coop::unconstrained;

use super::watcher::{Watcher, watched, watcher};
use crate::{
    bee::WorkerBee,
    driver::CommandQueue,
    error::{CancelReason, CrossingError, CrossingProblem, DelegateError, Exception, Part},
    machine::parent::{Request, TaskOutcome},
    registry::{BUSY_STATUS, MAX_MESSAGE_BYTES},
    returned::{not_a, typed},
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
    Idle(Errand, ReadRaised<E>),
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

/// Makes of an error that was returned what is told of it.
type ReadRaised<E> = fn(RaisedException) -> Result<E, CrossingProblem>;

/// Whom a task is delegated to, and its name.
struct Called {
    bee: &'static BeeNames,
    name: Cow<'static, str>,
}

/// A kind of worker bee, by name.
struct BeeNames {
    name: &'static str,
    tasks: &'static [&'static str],
}

impl<R: Wire> Delegate<R> {
    /// The type of the error that the task returns, for a task that is delegated by name: without this, errors are
    /// told as text. What is no `F` is a [`DelegateError::Crossing`].
    ///
    /// # Panics
    /// When the delegate has been polled.
    pub fn raises<F: Wire>(self) -> Delegate<R, F> {
        let Delegating::Idle(errand, _) = self.0.0 else {
            panic!("the type of a task's error is named after it was delegated");
        };
        Delegate(WithBee(Delegating::Idle(errand, typed::<F>)))
    }
}

impl<R, E> Delegate<R, E> {
    /// A task whose returned errors are told as `raised` has it.
    pub(super) fn new<W: WorkerBee>(
        commands: Arc<CommandQueue>,
        name: Cow<'static, str>,
        args: &(impl Serialize + ?Sized),
        raised: ReadRaised<E>,
    ) -> Self {
        let args = match name.len() {
            0..=MAX_NAME_BYTES => encode(args, MAX_MESSAGE_BYTES)
                .map_err(|error| CrossingError::not_encoded(&name, Part::Arguments, &error)),
            _ => Err(CrossingError::too_large(
                &name,
                Part::Name,
                MAX_NAME_BYTES as u64,
            )),
        };
        let bee = const {
            &BeeNames {
                name: W::NAME,
                tasks: W::TASKS,
            }
        };
        let errand = Errand {
            commands,
            called: Called { bee, name },
            args: args.map_err(Box::new),
            deadline: None,
            watcher: None,
        };
        Self(WithBee(Delegating::Idle(errand, raised)))
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
    /// and its other tasks are done by others. No limit by default. Changes nothing once the delegate has been
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
            Delegating::Idle(errand, raised) => Box::pin(unconstrained(errand.run(raised))),
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
    async fn run<R: Wire, E>(self, raised: ReadRaised<E>) -> Outcome<R, E> {
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
            Ok((end, child)) => (self.called.outcome(end, raised), child),
            Err(_) => closed(),
        }
    }
}

impl Called {
    fn outcome<R: Wire, E>(
        &self,
        end: TaskOutcome,
        raised: ReadRaised<E>,
    ) -> Result<R, DelegateError<E>> {
        let status = match end {
            TaskOutcome::Told(status) => status,
            TaskOutcome::Cancelled(reason) => return Err(DelegateError::Cancelled(*reason)),
        };
        let crossing = |part, problem| {
            let error = CrossingError::new(&self.name, part, problem);
            DelegateError::Crossing(error)
        };
        Err(match status {
            TaskStatus::Succeeded { returning_value } => {
                return decode_strict(&returning_value)
                    .map_err(|error| crossing(Part::Value, not_a::<R>(&error)));
            }
            TaskStatus::Raised(error) => match raised(*error) {
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
            crossing(Part::Arguments, CrossingProblem::Undecodable { message })
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
