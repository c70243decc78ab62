//! The ways an item can be without a value.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use mt_proto::{ContextStep, Deadline};

use crate::supervision::{Death, Plain, WorkerFailure};

/// Why an item has no value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TaskErrorKind<E> {
    /// The function returned this error (the seed's `raised`). The worker lives on.
    Raised(E),
    /// The function panicked. The worker lives on.
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
    Crashed {
        /// The last death.
        death: Death,
        /// How many workers died while it ran: the run's `crash_limit`.
        attempts: u32,
    },
    /// The item, or the function's result, does not serialise.
    Unserialisable(String),
    /// The item, or the function's result, does not deserialise on the other side: its `Serialize`
    /// and `Deserialize` do not match.
    Undecodable(String),
    /// The item, or the function's result, is longer than the limit.
    TooLarge {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The context of the item's batch could not be made; the function was not called.
    Context {
        /// The step that failed.
        step: ContextStep,
        /// What the context's code said.
        message: String,
    },
    /// The item waited or ran for too long. For [`Deadline::Hard`] its worker was killed, and is gone;
    /// for [`Deadline::Soft`] the call was cancelled and the worker lives on; for [`Deadline::Queue`]
    /// it was never started.
    TimedOut {
        /// Which deadline it was.
        deadline: Deadline,
        /// How long that is.
        limit: Duration,
    },
    /// The item's worker was killed because it used too much memory while nothing else ran in it.
    MemoryExceeded {
        /// The resident bytes the worker was last seen with; 0 when it was not looked at.
        rss_bytes: u64,
        /// The most it may have; `None` when it was the system, or the container, that had no more.
        limit_bytes: Option<u64>,
        /// How many workers were killed for the item: `oom_retries` and one.
        attempts: u32,
    },
    /// The run was interrupted or cancelled before the item was done. When this comes, the item's call,
    /// if there was one, is no longer running.
    Cancelled,
    /// No worker had said anything for longer than the works' [`timeout`](crate::works::AsynWorkGenerator::timeout), so
    /// they were killed. The item was running or never started; it may have had some effect, and can be tried
    /// again.
    Silent {
        /// How long that is.
        limit: Duration,
    },
    /// The input panicked instead of yielding this item. There are no items after it.
    InputPanicked(String),
    /// No worker could be had. The function was not called to the end for this item.
    Pool(Arc<WorkerFailure>),
}

impl TaskErrorKind<Infallible> {
    /// The same as the error of any task: the function has not returned it.
    pub(crate) fn of_any_task<E>(self) -> TaskErrorKind<E> {
        use TaskErrorKind as To;
        match self {
            Self::Raised(none) => match none {},
            Self::Panicked {
                message,
                location,
                backtrace,
            } => To::Panicked {
                message,
                location,
                backtrace,
            },
            Self::Crashed { death, attempts } => To::Crashed { death, attempts },
            Self::Unserialisable(message) => To::Unserialisable(message),
            Self::Undecodable(message) => To::Undecodable(message),
            Self::TooLarge { limit_bytes } => To::TooLarge { limit_bytes },
            Self::Context { step, message } => To::Context { step, message },
            Self::TimedOut { deadline, limit } => To::TimedOut { deadline, limit },
            Self::MemoryExceeded {
                rss_bytes,
                limit_bytes,
                attempts,
            } => To::MemoryExceeded {
                rss_bytes,
                limit_bytes,
                attempts,
            },
            Self::Cancelled => To::Cancelled,
            Self::Silent { limit } => To::Silent { limit },
            Self::InputPanicked(message) => To::InputPanicked(message),
            Self::Pool(cause) => To::Pool(cause),
        }
    }
}

impl<E: fmt::Display> fmt::Display for TaskErrorKind<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raised(error) => error.fmt(f),
            own => own.fmt_own(f),
        }
    }
}

impl<E> TaskErrorKind<E> {
    /// Displays what is the pool's to say.
    pub(super) fn fmt_own(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raised(_) => f.write_str("returned an error"),
            Self::Panicked {
                message, location, ..
            } => {
                write!(f, "panicked: {}", Plain(message))?;
                location
                    .as_ref()
                    .map_or(Ok(()), |at| write!(f, " (at {})", Plain(at)))
            }
            Self::Crashed { death, attempts } => {
                let times = if *attempts == 1 { "time" } else { "times" };
                let what = "and is not tried again";
                write!(f, "crashed {attempts} {times} {what}: {death}")
            }
            Self::Unserialisable(message) => {
                write!(f, "can't be sent between processes: {}", Plain(message))
            }
            Self::Undecodable(message) => write!(
                f,
                "does not decode on the other side (do its `Serialize` and `Deserialize` match?): {}",
                Plain(message)
            ),
            Self::TooLarge { limit_bytes } => {
                write!(
                    f,
                    "is longer than the limit of {limit_bytes} bytes once encoded"
                )
            }
            Self::Context { step, message } => {
                let step = match step {
                    ContextStep::Open => "made",
                    ContextStep::Close => "closed",
                };
                let message = Plain(message);
                write!(f, "was not run, its context could not be {step}: {message}")
            }
            Self::TimedOut { deadline, limit } => fmt_timeout(*deadline, *limit, f),
            Self::MemoryExceeded {
                rss_bytes,
                limit_bytes,
                attempts,
            } => {
                let used = match limit_bytes {
                    Some(limit) => format!("{rss_bytes} bytes, {limit} are allowed"),
                    None => "more than the system has left".to_owned(),
                };
                write!(
                    f,
                    "used too much memory ({used}; attempts: {attempts}) and was killed with its worker process"
                )
            }
            Self::Cancelled => f.write_str("was not done, the run was interrupted or cancelled"),
            Self::Silent { limit } => write!(
                f,
                "has no outcome, the run was ended because no worker had said anything for {limit:?} (if works may take longer, set `timeout`)"
            ),
            Self::InputPanicked(message) => {
                write!(f, "is missing, the input panicked: {}", Plain(message))
            }
            Self::Pool(cause) => write!(f, "was not done, {cause}"),
        }
    }
}

fn fmt_timeout(deadline: Deadline, limit: Duration, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match deadline {
        Deadline::Queue => write!(f, "waited for {limit:?} and was not started"),
        Deadline::Soft => write!(f, "took longer than {limit:?} and was cancelled"),
        Deadline::Hard => write!(
            f,
            "took longer than {limit:?} and was killed with its worker process"
        ),
    }
}
