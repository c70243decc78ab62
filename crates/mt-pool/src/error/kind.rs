//! The ways an item can be without a value.

use std::{fmt, sync::Arc, time::Duration};

use mt_proto::{CallStack, ContextStep, Deadline, Failure};

use super::StartError;
use crate::supervision::{Death, Plain, WorkerFailure};

/// Why an item has no value.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TaskErrorKind<E> {
    /// The function returned this error (the seed's `raised`). The worker lives on.
    #[error("{0}")]
    Raised(E),
    /// The function panicked. The worker lives on.
    #[error("panicked: {}{}", Plain(.message), place(.location))]
    Panicked {
        /// The panic message, at most 16 KiB.
        message: String,
        /// `file:line:column`.
        location: Option<String>,
        /// The call stack, at most 16 KiB; empty when `RUST_BACKTRACE=0`.
        backtrace: String,
    },
    /// The item was running each time a worker died: a crash, `exit`, an abort, a kill from outside.
    /// It is not tried again.
    #[error("crashed {} and is not tried again: {death}", times(.attempts))]
    Crashed {
        /// The last death.
        death: Death,
        /// How many workers died while it ran: the run's `crash_limit`.
        attempts: u32,
    },
    /// The function had returned for the item when the worker died, and its outcome, not sent yet, was lost. It is not
    /// called again, because the [`crash_limit`](crate::AsynPmap::crash_limit) is 1; with more it is. Known for a plain
    /// `fn`; calls of an `async fn` are [`Crashed`](Self::Crashed).
    #[error("was done, but its outcome was lost: {death}")]
    OutcomeLost {
        /// How the worker died.
        death: Death,
    },
    /// The item, or the function's result, does not serialise.
    #[error("can't be sent between processes: {}", Plain(.0))]
    Unserialisable(String),
    /// The item, or the function's result, does not deserialise on the other side: its `Serialize`
    /// and `Deserialize` do not match. Or what the calls of a [prepared task](crate::Pool::task) share does not.
    #[error(
        "does not decode on the other side (do its `Serialize` and `Deserialize` match?): {}",
        Plain(.0)
    )]
    Undecodable(String),
    /// The item, or the function's result, is longer than the limit.
    #[error("is longer than the limit of {limit_bytes} bytes once encoded")]
    TooLarge {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The context of the item's batch could not be made; the function was not called.
    #[error("was not run, its context could not be {}: {}", done(.step), Plain(.message))]
    Context {
        /// The step that failed.
        step: ContextStep,
        /// What the context's code said.
        message: String,
    },
    /// The item waited or ran for too long. For [`Deadline::Hard`] its worker was killed, and is gone;
    /// for [`Deadline::Soft`] the call was cancelled and the worker lives on; for [`Deadline::Queue`]
    /// it was never started.
    #[error("{}", late(.deadline, .limit))]
    TimedOut {
        /// Which deadline it was.
        deadline: Deadline,
        /// How long that is.
        limit: Duration,
    },
    /// The item's worker was killed because it used too much memory while nothing else ran in it.
    #[error(
        "used too much memory ({}; attempts: {attempts}) and was killed with its worker process",
        used(.rss_bytes, .limit_bytes)
    )]
    MemoryExceeded {
        /// The resident bytes the worker was last seen with; 0 when it was not looked at.
        rss_bytes: u64,
        /// The most it may have; `None` when it was the system, or the container, that had no more.
        limit_bytes: Option<u64>,
        /// How many workers were killed for the item: `oom_retries` and one.
        attempts: u32,
    },
    /// The run was drained, interrupted or cancelled before the item was done. When this comes, the item's call,
    /// if there was one, is no longer running. An item that has failed and had
    /// [retries](crate::AsynPmap::retries) left is told so too, and not by its last error, which was not final:
    /// [`attempts`](super::TaskError::attempts) tells how often it was tried. To go on later with what was not
    /// done, take all that are `Cancelled`.
    #[error("was not done, the run was drained, interrupted or cancelled")]
    Cancelled,
    /// No worker had said anything for longer than the works' [`timeout`](crate::works::AsynWorkGenerator::timeout), so
    /// they were killed. The item was running or never started; it may have had some effect, and can be tried
    /// again.
    #[error(
        "has no outcome, the run was ended because no worker had said anything for {limit:?} (if works may take longer, set `timeout`)"
    )]
    Silent {
        /// How long that is.
        limit: Duration,
    },
    /// The input panicked instead of yielding this item. There are no items after it.
    #[error("is missing, the input panicked: {}", Plain(.0))]
    InputPanicked(String),
    /// The input is a stream that waits for its runtime, and the only thread of that runtime waits for the run's
    /// outcomes, in a `for` loop or another blocking call inside async code. There are no items after it.
    #[error(
        "is missing: the input stream waits for the runtime whose only thread is blocked here, waiting for an outcome (take outcomes by `next().await`, iterate in `tokio::task::spawn_blocking`, or use a multi-thread runtime)"
    )]
    InputBlocked,
    /// The call was not made, and its function not called: the pool was closed, say.
    #[error("was not called: {0}")]
    NotStarted(Arc<StartError>),
    /// No worker could be had. The function was not called to the end for this item, or its outcome was lost with a
    /// worker and it could not be called again.
    #[error("was not done, {0}")]
    Pool(Arc<WorkerFailure>),
}

impl<E> TaskErrorKind<E> {
    /// What a worker has told.
    pub(crate) fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::Panicked {
                message,
                location,
                backtrace,
            } => Self::Panicked {
                message,
                location,
                backtrace,
            },
            Failure::Undecodable { message } => Self::Undecodable(message),
            Failure::Unserialisable { message } => Self::Unserialisable(message),
            Failure::TooLarge { limit_bytes } => Self::TooLarge { limit_bytes },
            Failure::Cancelled => Self::Cancelled,
            Failure::TimedOut { deadline, limit } => Self::TimedOut { deadline, limit },
            Failure::Context { step, message } => Self::Context { step, message },
            other => Self::Undecodable(format!("a failure of an unknown kind: {other:?}")),
        }
    }

    /// The same with something else in place of what the function returned.
    pub(crate) fn map<F>(&self, raised: impl FnOnce(&E) -> F) -> TaskErrorKind<F> {
        use TaskErrorKind as To;
        match self {
            Self::Raised(error) => To::Raised(raised(error)),
            Self::Panicked {
                message,
                location,
                backtrace,
            } => To::Panicked {
                message: message.clone(),
                location: location.clone(),
                backtrace: backtrace.clone(),
            },
            Self::Crashed { death, attempts } => To::Crashed {
                death: death.clone(),
                attempts: *attempts,
            },
            Self::OutcomeLost { death } => To::OutcomeLost {
                death: death.clone(),
            },
            Self::Unserialisable(message) => To::Unserialisable(message.clone()),
            Self::Undecodable(message) => To::Undecodable(message.clone()),
            &Self::TooLarge { limit_bytes } => To::TooLarge { limit_bytes },
            Self::Context { step, message } => To::Context {
                step: *step,
                message: message.clone(),
            },
            &Self::TimedOut { deadline, limit } => To::TimedOut { deadline, limit },
            &Self::MemoryExceeded {
                rss_bytes,
                limit_bytes,
                attempts,
            } => To::MemoryExceeded {
                rss_bytes,
                limit_bytes,
                attempts,
            },
            Self::Cancelled => To::Cancelled,
            &Self::Silent { limit } => To::Silent { limit },
            Self::InputPanicked(message) => To::InputPanicked(message.clone()),
            Self::InputBlocked => To::InputBlocked,
            Self::NotStarted(error) => To::NotStarted(Arc::clone(error)),
            Self::Pool(cause) => To::Pool(Arc::clone(cause)),
        }
    }
}

/// As it would be derived, but for call stacks, which are shown in lines, the first 32 of them.
impl<E: fmt::Debug> fmt::Debug for TaskErrorKind<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut named = |name, fields: &[(&str, &dyn fmt::Debug)]| {
            let mut all = f.debug_struct(name);
            for (field, value) in fields {
                all.field(field, value);
            }
            all.finish()
        };
        match self {
            Self::Panicked {
                message,
                location,
                backtrace,
            } => named(
                "Panicked",
                &[
                    ("message", message),
                    ("location", location),
                    ("backtrace", &CallStack(backtrace)),
                ],
            ),
            Self::Crashed { death, attempts } => {
                named("Crashed", &[("death", death), ("attempts", attempts)])
            }
            Self::OutcomeLost { death } => named("OutcomeLost", &[("death", death)]),
            Self::TooLarge { limit_bytes } => named("TooLarge", &[("limit_bytes", limit_bytes)]),
            Self::Context { step, message } => {
                named("Context", &[("step", step), ("message", message)])
            }
            Self::TimedOut { deadline, limit } => {
                named("TimedOut", &[("deadline", deadline), ("limit", limit)])
            }
            Self::MemoryExceeded {
                rss_bytes,
                limit_bytes,
                attempts,
            } => named(
                "MemoryExceeded",
                &[
                    ("rss_bytes", rss_bytes),
                    ("limit_bytes", limit_bytes),
                    ("attempts", attempts),
                ],
            ),
            Self::Silent { limit } => named("Silent", &[("limit", limit)]),
            Self::Raised(error) => f.debug_tuple("Raised").field(error).finish(),
            Self::Unserialisable(why) => f.debug_tuple("Unserialisable").field(why).finish(),
            Self::Undecodable(why) => f.debug_tuple("Undecodable").field(why).finish(),
            Self::InputPanicked(why) => f.debug_tuple("InputPanicked").field(why).finish(),
            Self::Pool(cause) => f.debug_tuple("Pool").field(cause).finish(),
            Self::Cancelled => f.write_str("Cancelled"),
            Self::InputBlocked => f.write_str("InputBlocked"),
            Self::NotStarted(error) => f.debug_tuple("NotStarted").field(error).finish(),
        }
    }
}

fn place(location: &Option<String>) -> String {
    let at = |at| format!(" (at {})", Plain(at));
    location.as_deref().map_or(String::new(), at)
}

fn times(attempts: &u32) -> String {
    let times = if *attempts == 1 { "time" } else { "times" };
    format!("{attempts} {times}")
}

fn done(step: &ContextStep) -> &'static str {
    match step {
        ContextStep::Open => "made",
        ContextStep::Close | _ => "closed",
    }
}

fn late(deadline: &Deadline, limit: &Duration) -> String {
    match deadline {
        Deadline::Queue => format!("waited for {limit:?} and was not started"),
        Deadline::Soft => format!("took longer than {limit:?} and was cancelled"),
        Deadline::Hard | _ => {
            format!("took longer than {limit:?} and was killed with its worker process")
        }
    }
}

fn used(rss_bytes: &u64, limit_bytes: &Option<u64>) -> String {
    match limit_bytes {
        Some(limit) => format!("{rss_bytes} bytes, {limit} are allowed"),
        None => "more than the system has left".to_owned(),
    }
}
