//! `beehive_run`: a queen's task, with a hive to delegate to.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mt_ipc::WorkerCommand;
use mt_pool::{__private::own_command, RestartBudget, StartError};
use mt_proto::{EncodeError, MAX_RECORD_BYTES, encode};

use super::{
    driver::Driver,
    handle::{Desk, Hive},
    pump::Cradle,
    thread::drive,
};
use crate::{
    Dispatch, Population, WorkerBee,
    hive::parent::Config,
    registry::{BeeSetup, name_of},
};

/// The most tasks a worker bee does at once, as in the seed.
const MAX_CONCURRENCY: u32 = 1024;

/// Runs `task`, the queen's, with a hive of worker bees `W` that are made of `init`.
///
/// The queen lives in this process, on the caller's tokio runtime: she is whatever `task` keeps, the model
/// and the dataframe. Worker bees live in processes of their own, and are gone when this ends, in whatever
/// way: when the task has returned they finish what they have and die; when the future is dropped they are
/// killed.
///
/// # Errors
/// [`BeehiveError`]: the hive could not be started. What the task itself returns is the `Ok` value.
pub fn beehive_run<W, T, F>(init: W::Init, task: T) -> BeehiveRun<W, T>
where
    W: WorkerBee,
    T: FnOnce(Hive<W>) -> F,
    F: Future,
{
    BeehiveRun {
        init,
        task,
        max_concurrency: Some(MAX_CONCURRENCY),
        config: Config {
            dispatch: Dispatch::default(),
            population: Population::Elastic {
                min: 1,
                max: default_max(),
                period: Duration::from_secs(1),
            },
            crash_limit: 3,
            restarts: RestartBudget::default(),
            exit_grace: Duration::from_secs(5),
            cancel_grace: Duration::from_millis(50),
        },
    }
}

/// The seed's: processors less one, at least one.
fn default_max() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.saturating_sub(1).max(1)
}

/// A hive that is being described. Made by [`beehive_run`].
#[must_use = "nothing happens until `run` is awaited"]
pub struct BeehiveRun<W: WorkerBee, T> {
    init: W::Init,
    task: T,
    max_concurrency: Option<u32>,
    config: Config,
}

impl<W: WorkerBee, T> fmt::Debug for BeehiveRun<W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeehiveRun")
            .field("bees", &W::NAME)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// A hive could not be started. No process exists.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeehiveError {
    /// This program can't start worker bees.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What worker bees are made of can't be sent.
    #[error("what worker bees are made of can't be sent: {0}")]
    Init(#[source] EncodeError),
}

impl<W: WorkerBee, T> BeehiveRun<W, T> {
    /// The most tasks a worker bee does at once. Default 1024; `None` is no limit.
    pub fn max_concurrency(mut self, tasks: impl Into<Option<u32>>) -> Self {
        self.max_concurrency = tasks.into().map(|most: u32| most.max(1));
        self
    }

    /// How many worker bees there are. Default: elastic, from 1 to the processors less one, looked at every
    /// second.
    pub fn population(mut self, population: Population) -> Self {
        self.config.population = population;
        self
    }

    /// How tasks find their bees. Default: [`Dispatch::Auction`], as in the seed.
    pub fn dispatch(mut self, dispatch: Dispatch) -> Self {
        self.config.dispatch = dispatch;
        self
    }

    /// How many bees may die while a task runs before it is given up. Default 3; with 0 or 1 no task is ever
    /// started twice.
    pub fn crash_limit(mut self, deaths: u32) -> Self {
        self.config.crash_limit = deaths;
        self
    }

    /// How many bees in a row may die for nothing before the hive gives up.
    pub fn restart_budget(mut self, budget: RestartBudget) -> Self {
        self.config.restarts = budget;
        self
    }

    /// Runs the queen's task to its end, and the hive to its own.
    ///
    /// # Errors
    /// [`BeehiveError`]; nothing was started.
    pub async fn run<F>(self) -> Result<F::Output, BeehiveError>
    where
        T: FnOnce(Hive<W>) -> F,
        F: Future,
    {
        let command = own_command()?;
        let init = encode(&self.init, MAX_RECORD_BYTES).map_err(BeehiveError::Init)?;
        let cradle = cradle::<W>(command, init.into(), self.max_concurrency);
        let desk = Desk::new();
        let (config, asked) = (self.config, desk.clone());
        let driven = drive(move || Driver::new(config, cradle, asked));
        let driven = driven.map_err(StartError::Thread)?;
        let output = (self.task)(Hive::new(desk)).await;
        driven.die().await;
        Ok(output)
    }
}

fn cradle<W: WorkerBee>(command: WorkerCommand, init: Bytes, max: Option<u32>) -> Cradle {
    let setup = move |my_id| {
        let setup = BeeSetup {
            bee: name_of::<W>(),
            my_id,
            init: init.clone(),
            max_concurrency: max,
        };
        let encoded = encode(&setup, usize::MAX);
        encoded
            .expect("strings, numbers and bytes always encode")
            .into()
    };
    Cradle {
        command,
        setup: Box::new(setup),
    }
}
