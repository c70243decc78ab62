//! The worker bees of this program by name.

use super::run_bee::{RunBee, run_bee};
use crate::{bee::WorkerBee, registry::name_of};

/// A worker bee as its process finds it. Submitted beside the `impl`.
pub struct Registration {
    name: fn() -> String,
    pub(super) run_bee: RunBee,
}

inventory::collect!(Registration);

impl Registration {
    /// The registration of `W`.
    #[must_use]
    pub const fn of<W: WorkerBee>() -> Self {
        Self {
            name: name_of::<W>,
            run_bee: run_bee::<W>,
        }
    }
}

/// The worker bee registered under this name.
pub(super) fn find(name: &str) -> Option<&'static Registration> {
    let mut all = inventory::iter::<Registration>.into_iter();
    all.find(|registration| (registration.name)() == name)
}
