//! The worker bees of this program by name.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{WorkerBee, executor};

/// A worker bee as her process finds her. Submitted beside her `impl`.
pub struct Registration {
    name: fn() -> String,
    run_bee: executor::RunBee,
}

inventory::collect!(Registration);

impl Registration {
    /// The registration of `W`.
    #[must_use]
    pub const fn of<W: WorkerBee>() -> Self {
        Self {
            name: name_of::<W>,
            run_bee: executor::run_bee::<W>,
        }
    }

    pub(crate) fn run_bee(&self) -> executor::RunBee {
        self.run_bee
    }
}

/// What a bee is called on the wire.
pub(crate) fn name_of<W: WorkerBee>() -> String {
    format!("{} ({})", W::NAME, std::any::type_name::<W>())
}

/// The worker bee registered under this name.
pub(crate) fn find(name: &str) -> Option<&'static Registration> {
    let mut all = inventory::iter::<Registration>.into_iter();
    all.find(|registration| (registration.name)() == name)
}

/// What a worker bee is told before her first task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BeeSetup {
    /// Her registered name.
    pub(crate) bee: String,
    /// The id her parent has given her.
    pub(crate) my_id: u32,
    /// What she is made of, encoded.
    pub(crate) init: Bytes,
    /// The most tasks at once; `None` is no limit.
    pub(crate) max_concurrency: Option<u32>,
}
