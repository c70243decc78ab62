//! The hive of a worker bee that has worker bees itself: described when that is made, started when it is first
//! used, gone before the bee is.

use std::{
    any::TypeId,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{handle::Hive, run::BeehiveRun};
use crate::{
    bee::WorkerBee,
    driver::{CommandQueue, Driven},
    error::BeehiveError,
};

/// A worker bee's own hive, from its description to its end.
pub struct OwnHive {
    of: TypeId,
    name: &'static str,
    stage: Mutex<Stage>,
}

enum Stage {
    Described(Start),
    Lives(Arc<CommandQueue>, Driven),
    /// Gone, or not to be started: why.
    Over(&'static str),
}

type Start = Box<dyn FnOnce() -> Result<(Arc<CommandQueue>, Driven), BeehiveError> + Send>;

impl OwnHive {
    /// Of a hive that is run without a queen: the bee is its queen.
    pub fn new<W: WorkerBee>(run: BeehiveRun<W>) -> Self {
        let start = move || {
            let (hive, driven) = run.start()?.into_parts();
            Ok((hive.into_commands(), driven))
        };
        Self {
            of: TypeId::of::<W>(),
            name: W::NAME,
            stage: Mutex::new(Stage::Described(Box::new(start))),
        }
    }

    /// The hive; it is started if it was not.
    pub(crate) fn hive<W: WorkerBee>(&self) -> Result<Hive<W>, BeehiveError> {
        if self.of != TypeId::of::<W>() {
            let (wanted, name) = (W::NAME, self.name);
            let why = format!("its worker bees are {name}, not {wanted}");
            return Err(BeehiveError::NoHive(why));
        }
        let mut stage = self.lock();
        let failed = Stage::Over("it could not be started");
        let (commands, driven) = match mem::replace(&mut *stage, failed) {
            Stage::Described(start) => start()?,
            Stage::Lives(commands, driven) => (commands, driven),
            Stage::Over(why) => {
                *stage = Stage::Over(why);
                return Err(BeehiveError::NoHive(why.to_owned()));
            }
        };
        *stage = Stage::Lives(Arc::clone(&commands), driven);
        Ok(Hive::new(commands))
    }

    /// Lets it die, if it lives. The bee has no task left, so whoever still waits for a task of it was left behind by
    /// one, and what nobody will hear of is cancelled. Waiting until every bee below is gone.
    pub(crate) async fn die(&self) {
        let before = mem::replace(&mut *self.lock(), Stage::Over("the bee is dying"));
        if let Stage::Lives(_, driven) = before {
            driven.abandon().await;
        }
    }

    /// A hive that failed to start has left a stage that says so.
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for OwnHive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnHive").field(&self.name).finish()
    }
}
