//! Why a run can't start.

/// A run was not started. No process exists, and no item was taken from the input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The program can't start workers, because they would not know that they are.
    #[error(
        "`init()` was not called: put `#[mt_pool::main]` or `#[mt_beehive::main]` on `main`, or call `mt_pool::init()` or `mt_beehive::init()` as its first line; in tests write `mt_pool::test_worker!();` or `mt_beehive::test_worker!();` once in the test's file"
    )]
    NotInitialised,
    /// The process is a worker itself that has not gone through `init()`: starting workers here
    /// would go on without end.
    #[error(
        "this process was started as a worker but `init()` was not its first act, so it started a run itself; call `init()` before anything else in `main`"
    )]
    InWorker,
    /// A task can't be told from another one, or is not there.
    #[error("task {id} {problem}")]
    Task {
        /// The task.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An option is out of its range.
    #[error("option `{option}` {problem}")]
    Option {
        /// The builder method.
        option: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// A value for all items does not serialise.
    #[error("the value given with `{option}` can't be sent to workers: {message}")]
    Value {
        /// The builder method.
        option: &'static str,
        /// What the encoder said.
        message: String,
    },
    /// The pool it was to run on was closed.
    #[error("the pool was closed; no further run can be started on it")]
    PoolClosed,
    /// A thread or a timer of this process can't be made.
    #[error("starting a thread for the run failed: {0}")]
    Thread(std::io::Error),
}
