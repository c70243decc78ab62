//! The hive of a worker bee that has worker bees itself: described when that is made, started when it is first
//! used, gone before the bee is.

use std::{
    any::TypeId,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{handle::Hive, run::BeehiveRun};
use crate::{
    bee::{Bee, WorkerBee},
    driver::{CommandQueue, Driven},
    error::BeehiveError,
};

/// The hive of a worker bee's own, described and not started.
pub struct OwnHive {
    of: TypeId,
    name: &'static str,
    start: Start,
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
            start: Box::new(start),
        }
    }
}

impl fmt::Debug for OwnHive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnHive").field(&self.name).finish()
    }
}

/// A bee's own hive, from its description to its end.
#[derive(Debug)]
pub(crate) struct Below {
    of: TypeId,
    name: &'static str,
    state: Mutex<State>,
}

enum State {
    Described(Start),
    Lives(Arc<CommandQueue>, Driven),
    /// Gone, or not to be started.
    Over(String),
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Described(_) => "Described",
            Self::Lives(..) => "Lives",
            Self::Over(_) => "Over",
        })
    }
}

impl Below {
    pub(crate) fn new(own: OwnHive) -> Self {
        let OwnHive { of, name, start } = own;
        Self {
            of,
            name,
            state: Mutex::new(State::Described(start)),
        }
    }

    /// The hive; it is started if it was not.
    pub(crate) fn hive<W: WorkerBee>(&self) -> Result<Hive<W>, BeehiveError> {
        if self.of != TypeId::of::<W>() {
            let (wanted, name) = (<W as Bee>::NAME, self.name);
            return Err(no_hive(format!("its worker bees are {name}, not {wanted}")));
        }
        let mut state = self.lock();
        let over = || State::Over("it could not be started".into());
        if let State::Described(_) = &*state
            && let State::Described(start) = mem::replace(&mut *state, over())
        {
            let (commands, driven) = start()?;
            *state = State::Lives(commands, driven);
        }
        match &*state {
            State::Lives(commands, _) => Ok(Hive::new(Arc::clone(commands))),
            State::Over(why) => Err(no_hive(why.clone())),
            State::Described(_) => unreachable!("it was started above"),
        }
    }

    /// Lets it die, if it lives: it finishes what it has. Waiting until every bee below is gone.
    pub(crate) async fn die(&self) {
        let over = State::Over("the bee is dying".into());
        let before = mem::replace(&mut *self.lock(), over);
        if let State::Lives(_, driven) = before {
            driven.die().await;
        }
    }

    /// A hive that failed to start has left a state that says so.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_hive(why: String) -> BeehiveError {
    BeehiveError::NoHive(why)
}
