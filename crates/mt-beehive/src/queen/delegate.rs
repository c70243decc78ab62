//! A delegated task, from the side of whoever waits for it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use mt_pool::Wire;
use mt_proto::{MAX_RECORD_BYTES, RaisedException, TaskStatus, decode_strict, encode};
use serde::{Serialize, de::DeserializeOwned};
use tokio::task::coop::unconstrained;

use super::watcher::{Watcher, watched, watcher};
use crate::{bee::in_a_line, driver::CommandQueue, machine::parent::Request};

/// The most bytes of a task's name.
const MAX_NAME_BYTES: usize = 1024;
/// The most bytes of a task's arguments once encoded: a frame with what else is in it stays within its limit.
const MAX_ARGS_BYTES: usize = MAX_RECORD_BYTES - (1 << 20);

/// The worker bee that did a task: 0, 1, 2 … in the order they were spawned, never used again. `None`
/// when nobody did it (the seed's -1).
pub type ChildId = Option<u32>;

/// How a task ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskResult<R> {
    /// It returned this.
    Succeeded(R),
    /// It returned an error or panicked, there is none of its name, or what it returned does not cross.
    Raised(Exception),
    /// It was cancelled: by its deadline, because its bees died or there are none, or because the hive was
    /// interrupted.
    Cancelled {
        /// Why.
        reason: String,
    },
}

/// An error that crossed as text. It is shown as what it says, with the place of a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exception {
    /// What it says.
    pub exception: String,
    /// The call stack, one line each, without what is not the user's (the worker bee's process has the
    /// environment variable `RUST_BACKTRACE`: with `full` it is whole, with `0` there is none). Empty unless it
    /// was a panic.
    pub traceback: Vec<String>,
    /// What else there is to say: the error's `type`, the `location` of a panic.
    pub other_details: BTreeMap<String, String>,
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_a_line(&self.exception, &self.other_details))
    }
}

impl std::error::Error for Exception {}

/// Why a task has no value: what [`TaskResult::ok`] gives. As text it is one line, and a dead bee's last words
/// in the lines after that; `?` makes it a `String` where an error is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// [`TaskResult::Raised`].
    #[error("raised: {0}")]
    Raised(Exception),
    /// [`TaskResult::Cancelled`].
    #[error("cancelled: {reason}")]
    Cancelled {
        /// Why.
        reason: String,
    },
}

impl From<TaskError> for String {
    fn from(error: TaskError) -> Self {
        error.to_string()
    }
}

impl<R> TaskResult<R> {
    /// The value, or why there is none, for `?`.
    ///
    /// # Errors
    /// [`TaskError`]: what was raised, or the reason of the cancelling.
    pub fn ok(self) -> Result<R, TaskError> {
        match self {
            Self::Succeeded(value) => Ok(value),
            Self::Raised(exception) => Err(TaskError::Raised(exception)),
            Self::Cancelled { reason } => Err(TaskError::Cancelled { reason }),
        }
    }
}

impl From<RaisedException> for Exception {
    fn from(raised: RaisedException) -> Self {
        let RaisedException {
            exception,
            traceback,
            other_details,
            ..
        } = raised;
        Self {
            exception,
            traceback,
            other_details,
        }
    }
}

/// A task to be delegated: a future of how it ended and who did it. Nothing happens until it is polled; dropped
/// after that, it cancels the task.
#[must_use = "a task is delegated when this is awaited"]
pub struct Delegate<R>(State<R>);

enum State<R> {
    /// Not delegated yet.
    Idle(Errand),
    Waiting(Answer<R>),
    Over,
}

type Answer<R> = Pin<Box<dyn Future<Output = (TaskResult<R>, ChildId)> + Send>>;

/// What is to be delegated, and how.
struct Errand {
    commands: Arc<CommandQueue>,
    name: Cow<'static, str>,
    args: Result<Vec<u8>, String>,
    deadline: Option<Duration>,
    watcher: Option<Watcher>,
}

impl<R: Wire> Delegate<R> {
    pub(super) fn new(
        commands: Arc<CommandQueue>,
        name: Cow<'static, str>,
        args: &(impl Serialize + ?Sized),
    ) -> Self {
        let args = match name.len() {
            0..=MAX_NAME_BYTES => encode(args, MAX_ARGS_BYTES)
                .map_err(|error| format!("the arguments of task `{name}` can't be sent: {error}")),
            long => Err(format!(
                "a task's name of {long} bytes can't be sent, at most {MAX_NAME_BYTES} are allowed"
            )),
        };
        Self(State::Idle(Errand {
            commands,
            name,
            args,
            deadline: None,
            watcher: None,
        }))
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
    /// # use mt_beehive::{BeehiveError, Delegate};
    /// # fn show(task: Delegate<()>) {
    /// let (latest, looks) = tokio::sync::watch::channel(0.0);
    /// let task = task.on_progress(move |part: f64| drop(latest.send_replace(part)));
    /// # }
    /// ```
    pub fn on_progress<P: DeserializeOwned>(
        mut self,
        tell: impl FnMut(P) + Send + 'static,
    ) -> Self {
        if let State::Idle(errand) = &mut self.0 {
            errand.watcher = Some(watcher(tell));
        }
        self
    }

    /// How long it may take, waiting for a bee included, but not for one of the 65 536 places when all are taken.
    /// It is then cancelled; a bee that does not let go
    /// of it is killed, and her other tasks are done by others. No limit by default. Changes nothing once it
    /// has been polled.
    pub fn deadline(mut self, limit: Duration) -> Self {
        if let State::Idle(errand) = &mut self.0 {
            errand.deadline = Some(limit);
        }
        self
    }
}

impl<R: Wire> Future for Delegate<R> {
    type Output = (TaskResult<R>, ChildId);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = match mem::replace(&mut self.0, State::Over) {
            // Not held to tokio's budget for one turn: among a thousand delegates, those that come after it is spent
            // would be polled again and again. None of them is ever ready without somebody else's doing.
            State::Idle(errand) => Box::pin(unconstrained(errand.run())),
            State::Waiting(answer) => answer,
            State::Over => panic!("a delegate is polled after its end"),
        };
        let polled = answer.as_mut().poll(cx);
        if polled.is_pending() {
            self.0 = State::Waiting(answer);
        }
        polled
    }
}

impl<R> fmt::Debug for Delegate<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = match &self.0 {
            State::Idle(errand) => &errand.name,
            State::Waiting(_) => "under way",
            State::Over => "over",
        };
        f.debug_tuple("Delegate").field(&task).finish()
    }
}

impl Errand {
    async fn run<R: Wire>(self) -> (TaskResult<R>, ChildId) {
        let args = match self.args {
            Ok(args) => args,
            Err(what) => {
                return (TaskResult::Raised(RaisedException::text(what).into()), None);
            }
        };
        let request = Request {
            name: self.name,
            args: args.into(),
            limit: self.deadline,
        };
        let (progress, reply_tx) = self.watcher.map(watched).unzip();
        let Some((waits, reply)) = self.commands.ask(request, progress).await else {
            return (over(), None);
        };
        let answered = match reply_tx {
            Some(reply_tx) => reply_tx.until(reply).await,
            None => reply.await,
        };
        waits.answered();
        match answered {
            Ok((status, child)) => (result_of(status), child),
            Err(_) => (over(), None),
        }
    }
}

fn over<R>() -> TaskResult<R> {
    TaskResult::Cancelled {
        reason: "the hive is dead".into(),
    }
}

fn result_of<R: Wire>(status: TaskStatus) -> TaskResult<R> {
    match status {
        TaskStatus::Succeeded { returning_value } => match decode_strict(&returning_value) {
            Ok(value) => TaskResult::Succeeded(value),
            Err(error) => {
                let what = std::any::type_name::<R>();
                let text = format!("what the task returned is not a {what}: {error}");
                TaskResult::Raised(RaisedException::text(text).into())
            }
        },
        TaskStatus::Raised(exception) => TaskResult::Raised((*exception).into()),
        TaskStatus::Cancelled { reason } => TaskResult::Cancelled {
            reason: reason.unwrap_or_else(|| "no reason was given".into()),
        },
    }
}
