//! Works by number: functions of a work id from 0 up, in this process or in workers.

mod aio;
mod null;
mod serial;
mod split;

pub use aio::{AioWorkGenerator, AioWorks, aio_work_generator, aio_work_generator_shared};
pub use null::{KeepNull, NullPolicy, Nullable, SkipNull};
pub use serial::{SerialWorkGenerator, serial_work_generator};
pub use split::{SplitError, split_works, split_works_seeded};
