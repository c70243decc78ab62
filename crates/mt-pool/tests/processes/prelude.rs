//! What nearly every test here speaks of.

pub(crate) use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    iter,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::sync_channel,
    },
    thread,
    time::Duration,
};

pub(crate) use mt_pool::{
    AsynPmap, Pool, Task, TaskError, TaskErrorKind, WorkIterator, asyn_pmap,
    error::Deadline,
    events::PoolEvent,
    limits::{ByteLimits, Deadlines, MemoryLimits, Recycle, Retries, WorkerOptions},
    stats::Stats,
    supervision::{Death, DeathCause, WorkerFailure},
    task,
    task::Never,
};
pub(crate) use mt_test_kit::{
    Folder, Signal, assert_is, children, signal, test_with, threads_named, wait_until,
    wait_until_gone, watchdog,
};

pub(crate) use crate::{
    census::Census,
    deed::{Deed, act, act_async, act_first},
    options::{beats, discards, hard, restarts, soft},
    report::{Outcome, Report, complete, succeeded, values},
    scene::{alone, alone_as, block_on, in_folder, refused},
    tasks::{Even, FOR_EVER, act_by_id, double, double_async, forever, pid, waits_to_go},
};
