//! What nearly every test here speaks of.

pub(crate) use std::{fmt::Debug, time::Duration};

pub(crate) use mt_pool::{
    AsynPmap, Pool, Task, TaskErrorKind, asyn_pmap,
    error::Deadline,
    events::PoolEvent,
    limits::{ByteLimits, Deadlines, MemoryLimits, Recycle, Retries, WorkerOptions},
    supervision::{Death, DeathCause, WorkerFailure},
    task,
    task::Never,
};
pub(crate) use mt_test_kit::{
    Folder, Signal, assert_is, signal, wait_until, wait_until_gone, watchdog,
};

pub(crate) use crate::{
    census::Census,
    deed::{Deed, act, act_async, act_first},
    options::{beats, discards, hard, restarts, soft},
    report::{Outcome, Report, complete, values},
    scene::alone,
    tasks::FOR_EVER,
};
