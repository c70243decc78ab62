//! Works by number: functions of a work id from 0 up, in this process or in workers.

mod aio;
mod generator;
mod here;
mod in_context;
mod interrupt;
mod null;
mod options;
mod parallel;
mod progress;
mod serial;
mod split;

pub use aio::{AioWorkGenerator, AioWorks, aio_work_generator, aio_work_generator_shared};
pub use generator::{AsynWorkGenerator, AsynWorks, asyn_work_generator};
pub use in_context::{AsynWorksInContext, WorkCounts, run_asyn_works_in_context};
pub use null::{KeepNull, NullPolicy, Nullable, SkipNull};
pub use parallel::{
    ParalleliserState, PopError, ProcessParalleliser, ProcessParalleliserBuilder, WorkCounters,
    WorkIterator, WorkIteratorBuilder,
};
pub use progress::{Progress, ProgressReceiver, ProgressSender, progress_queue};
pub use serial::{SerialWorkGenerator, serial_work_generator};
pub use split::{SplitError, split_works, split_works_seeded};

use crate::StartError;

/// Works at once unless told otherwise.
const MAX_CONCURRENCY: usize = 1024;

/// The refusal of a `max_concurrency` of 0.
fn no_concurrency() -> StartError {
    StartError::Option {
        option: "max_concurrency",
        problem: "is 0; it has to be at least 1, or None for all at once".into(),
    }
}
