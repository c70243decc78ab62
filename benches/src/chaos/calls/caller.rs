//! The tasks of a runtime, and the threads without one, that call.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::future::{Either, join_all, select};
use mt_pool::{Pool, Task, calls::CallFuture};
use mt_test_kit::Folder;

use super::{
    super::{plan::Plan, targets::Targets},
    asked::{Asked, Fate, Way, When},
    deed::{Order, Trace, async_call, plain_call},
    tally::{Came, Seen, Tally},
};

/// The most calls that a task makes at once.
const AT_ONCE: u64 = 8;
/// How often somebody looks whether a call was begun, or whether there is room.
const LOOK: Duration = Duration::from_millis(1);
/// How long a call is waited for to be begun: there may be many before it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What all callers share.
pub(super) struct Callers {
    plan: Plan,
    notes: Folder,
    targets: Arc<Targets>,
    tally: Mutex<Tally>,
    next: AtomicU64,
}

impl Callers {
    pub(super) fn new(plan: Plan, notes: Folder, targets: Arc<Targets>) -> Self {
        Self {
            plan,
            notes,
            targets,
            tally: Mutex::new(Tally::new(plan.tasks)),
            next: AtomicU64::new(0),
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        let tally = self.tally.into_inner();
        tally.unwrap_or_else(PoisonError::into_inner)
    }

    /// A task: makes some calls at once, then others, until there are none left.
    pub(super) async fn call_from_task(&self, pool: Pool, number: u64) -> Result<()> {
        let at_once = 1 + number % AT_ONCE;
        loop {
            let some: Vec<Asked> = (0..at_once).map_while(|_| self.next()).collect();
            if some.is_empty() {
                return Ok(());
            }
            let calls = some.into_iter().map(|asked| self.call(&pool, asked));
            join_all(calls).await.into_iter().collect::<Result<()>>()?;
        }
    }

    /// A thread: makes one call after the other.
    pub(super) fn call_from_thread(&self, pool: &Pool) -> Result<()> {
        while let Some(asked) = self.next() {
            let came = match asked.is_plain {
                true => self.block_on::<plain_call>(pool, &asked),
                false => self.block_on::<async_call>(pool, &asked),
            };
            self.enter(&asked, came)?;
        }
        Ok(())
    }

    fn next(&self) -> Option<Asked> {
        let n = self.next.fetch_add(1, Relaxed);
        let asked = (n < self.plan.tasks).then(|| Asked::of(&self.plan, n))?;
        self.targets.taken.fetch_add(1, Relaxed);
        Some(asked)
    }

    fn enter(&self, asked: &Asked, came: Came) -> Result<()> {
        let seen = Seen::look(asked, &came, &self.notes)?;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.enter(asked, came, seen);
        self.targets.yielded.fetch_add(1, Relaxed);
        Ok(())
    }

    fn shed(&self) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.shed += 1;
    }

    async fn call(&self, pool: &Pool, asked: Asked) -> Result<()> {
        let came = match asked.is_plain {
            true => self.ask::<plain_call>(pool, &asked).await,
            false => self.ask::<async_call>(pool, &asked).await,
        };
        self.enter(&asked, came)
    }

    async fn ask<T>(&self, pool: &Pool, asked: &Asked) -> Came
    where
        T: Task<Input = Order, Output = u64, Error = u64>,
    {
        let describe = || asked.describe::<T>(pool, &self.notes);
        let when = match asked.fate {
            Fate::Cancels(when) => {
                let handle = describe().spawn();
                self.until(asked, when).await;
                handle.cancel();
                return Came::Outcome(handle.await);
            }
            Fate::Drops(when) => Some(when),
            Fate::Waits => None,
        };
        let call: CallFuture<T> = match asked.way {
            Way::Plainly => describe().into_future(),
            Way::Spawned if when.is_none() => return Came::Outcome(describe().spawn().await),
            Way::Spawned => describe().into_future(),
            Way::Tried => describe().try_start().unwrap_or_else(|_| {
                self.shed();
                describe().into_future()
            }),
        };
        let Some(when) = when else {
            return Came::Outcome(call.await);
        };
        match select(call, pin!(self.until(asked, when))).await {
            Either::Left((outcome, _)) => Came::Outcome(outcome),
            Either::Right(((), call)) => {
                drop(call);
                Came::Dropped
            }
        }
    }

    async fn until(&self, asked: &Asked, when: When) {
        match when {
            When::After(time) => tokio::time::sleep(time).await,
            When::Begun => {
                let until = Instant::now() + PATIENCE;
                while Trace::of(&self.notes, asked.n).is_none() && Instant::now() < until {
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }

    fn block_on<T>(&self, pool: &Pool, asked: &Asked) -> Came
    where
        T: Task<Input = Order, Output = u64, Error = u64>,
    {
        let describe = || asked.describe::<T>(pool, &self.notes);
        match asked.fate {
            Fate::Waits => Came::Outcome(match asked.way {
                Way::Plainly => describe().wait(),
                Way::Spawned => describe().spawn().wait(),
                Way::Tried => self.try_for_room(describe).wait(),
            }),
            Fate::Cancels(when) => {
                let handle = describe().spawn();
                self.block_until(asked, when);
                handle.cancel();
                Came::Outcome(handle.wait())
            }
            Fate::Drops(when) => {
                let call = self.try_for_room(describe);
                self.block_until(asked, when);
                drop(call);
                Came::Dropped
            }
        }
    }

    /// Makes a call as soon as there is room for it.
    fn try_for_room<T: Task>(&self, describe: impl Fn() -> mt_pool::Call<T>) -> CallFuture<T> {
        loop {
            match describe().try_start() {
                Ok(call) => return call,
                Err(_) => self.shed(),
            }
            thread::sleep(LOOK);
        }
    }

    fn block_until(&self, asked: &Asked, when: When) {
        match when {
            When::After(time) => thread::sleep(time),
            When::Begun => {
                let until = Instant::now() + PATIENCE;
                while Trace::of(&self.notes, asked.n).is_none() && Instant::now() < until {
                    thread::sleep(LOOK);
                }
            }
        }
    }
}
