//! How a worker died.

use std::{fmt, time::Duration};

use mt_ipc::Exit;
use serde::{Deserialize, Serialize};

use super::last_words::LastWords;

/// The end of a worker process that did not end in peace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Death {
    /// How the process ended.
    pub exit: Exit,
    /// Why.
    pub cause: DeathCause,
    /// What it said last. Shown behind the cause when a `Death` is shown.
    pub last_words: LastWords,
}

/// Why a worker died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum DeathCause {
    /// The process ended by itself, or somebody outside the pool killed it.
    #[error("its worker process ended by itself, or was killed from outside")]
    Itself,
    /// The pool killed it because it gave no sign of life.
    #[error("its worker process gave no sign of life any more and was killed")]
    Frozen,
    /// The pool killed it because it got no further.
    #[error("its worker process got no further for too long and was killed")]
    Blocked,
    /// The pool killed it because it sent what no worker sends.
    #[error(
        "its worker process broke the protocol ({0}) and was killed; its memory is probably corrupt"
    )]
    BrokeProtocol(String),
    /// The connection to it had ended and it lived on: a task has closed descriptors that were not its own, or put others
    /// in their place, or has become another program by `exec`. It was killed, or has ended itself.
    #[error(
        "its worker process closed its connection (a task has closed descriptors that are not its own, or called `exec`) and was killed"
    )]
    HungUp,
    /// The pool killed it because an item ran past its hard deadline in it; or the hive, because a task that was cancelled,
    /// by its deadline, say, did not stop within the `cancel_grace`.
    #[error("its worker process was killed because a call in it did not end in time")]
    Overran,
    /// The pool killed it because it used more memory than it may.
    #[error(
        "its worker process used {rss_bytes} bytes of memory, may use {limit_bytes}, and was killed"
    )]
    MemoryExceeded {
        /// The resident bytes it was seen with.
        rss_bytes: u64,
        /// The most it may have.
        limit_bytes: u64,
    },
    /// The system killed it because there was no memory left for it, on the machine or in its container.
    ///
    /// Told of a worker that nobody here has killed, that ended by `SIGKILL`, and in whose own control group (v1 or v2)
    /// the system has counted a kill for want of memory that is no other worker's, within the last two seconds. Kills in
    /// other groups are no evidence; where there is no group that counts, the death is told as what it was, a kill.
    #[error("its worker process was killed by the system because there was no memory left")]
    OutOfMemory,
    /// The pool killed it because others needed its memory.
    #[error("its worker process was killed because others needed its memory")]
    Displaced,
    /// The pool killed it because it had not gone within its `exit_grace` after it was told to, or had said that it goes or
    /// that it could not be set up: a context that does not close, an exit hook that does not return. Only a worker that
    /// went without having been told to, which none does that is in its senses, may have had an item; that is treated as
    /// after any death. The same of a bee, whose own bees have a `bury_grace`.
    #[error("its worker process was to go, did not within its exit grace, and was killed")]
    Lingered,
    /// The pool killed it because a context that was being closed kept its thread for longer than the context deadline.
    /// Items that ran beside it are run again.
    #[error(
        "its worker process was killed because a context blocked its thread when it was closed"
    )]
    CloseBlocked,
    /// The process is another user's, of a host that has changed its own user since, say: it may not be killed. The pool
    /// has ended its connection, at which a worker ends itself, and it was still there a second later. It is left to
    /// itself, and what it ran is not run again.
    #[error(
        "its worker process may not be killed by this process, did not end with its connection, and is left behind"
    )]
    OutOfReach,
    /// The pool killed it for its own reasons: the run was over.
    #[error("its worker process was stopped with the run")]
    Stopped,
    /// The pool killed it because it gave signs of life and did not answer: what has to be answered at once, whatever
    /// a task does, by a thread that runs no user code. Its memory is probably corrupt.
    #[error("its worker process gave signs of life but no answer for {limit:?} and was killed")]
    NoAnswer {
        /// How long an answer may take.
        limit: Duration,
    },
    /// Somebody outside the pool has asked it to end, by `SIGTERM`: a service manager that asks all processes of a service,
    /// say. What ran in it is treated as after any death, but while a run drains it is `Cancelled` and not to blame. See
    /// [`ignore_terminate`](crate::limits::WorkerOptions::ignore_terminate).
    #[error("its worker process was asked to end from outside, by SIGTERM")]
    Terminated,
}

impl Death {
    /// The end of a process that has said nothing.
    #[must_use]
    pub fn new(exit: Exit, cause: DeathCause) -> Self {
        Self {
            exit,
            cause,
            last_words: LastWords::default(),
        }
    }

    /// The death without the last words, in one line.
    #[must_use]
    pub fn brief(&self) -> impl fmt::Display {
        fmt::from_fn(move |f| match &self.cause {
            DeathCause::Itself => write!(f, "its worker process {}", self.exit),
            cause => write!(f, "{cause}"),
        })
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.brief(), self.last_words.appended())
    }
}
