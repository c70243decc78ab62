//! `beehive_run`: a queen bee, and a hive she delegates to.

use std::fmt;

use mt_pool::limits::at_least_one;

use super::{bee::QueenBee, queen_shared::Queen, run::BeehiveRun, running::RunningHive};
use crate::{
    bee::{Bee, BeeCx},
    error::BeehiveError,
};

/// The id of a queen: her parent, whoever runs her, has no other child.
const MY_ID: u32 = 0;

/// A queen bee `Q` made of `queenbee_init`, with worker bees each made of `workerbee_init`, to be run for a
/// task of hers.
///
/// The queen lives in this process, on the caller's task, and keeps what is expensive: the model, the
/// dataframe. What she is given and returns is not encoded and need not be serialisable. Worker bees live in
/// processes of their own.
///
/// The [crate's example](crate#start-here) shows one.
///
/// Without a queen of a type of her own there is [`hive_of`](crate::hive_of).
#[doc(alias = "queenbee_class")]
#[doc(alias = "workerbee_class")]
pub fn beehive_run<Q: QueenBee>(
    queenbee_init: Q::Init,
    workerbee_init: <Q::Worker as Bee>::Init,
) -> BeehiveRun<Q::Worker, WithQueen<Q>> {
    let queen = WithQueen {
        init: queenbee_init,
        max_concurrency: None,
    };
    BeehiveRun::new(workerbee_init, queen)
}

/// Says of a [`BeehiveRun`] who its queen is.
pub struct WithQueen<Q: QueenBee> {
    init: Q::Init,
    max_concurrency: Option<u32>,
}

impl<Q: QueenBee> fmt::Debug for WithQueen<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WithQueen").field(&Q::NAME).finish()
    }
}

impl<Q: QueenBee> BeehiveRun<Q::Worker, WithQueen<Q>> {
    /// The most tasks the queen does at once, at least 1; more that are asked for wait. Default `None`, no
    /// limit. It matters when [`run`](Self::run) asks her for several. One that a task of hers asks her for itself, and
    /// awaits, is part of that task and needs no place: it could wait for ever for the one that its own task has.
    pub fn queenbee_max_concurrency(mut self, tasks: impl Into<Option<u32>>) -> Self {
        self.queen.max_concurrency = tasks.into();
        self
    }

    /// Makes the queen and starts her hive, as a value that lives until it is [shut down](RunningHive::shutdown) or
    /// dropped, which kills the worker bees. It is not `Send`, for the queen need not be: see
    /// [there](crate#in-a-server).
    ///
    /// # Errors
    /// [`BeehiveError::NotMade`] and [`BeehiveError::Start`]: there is neither a queen nor a worker bee.
    pub async fn start(self) -> Result<RunningHive<Queen<Q>>, BeehiveError> {
        let (run, queen) = self.without_queen();
        let most = queen.max_concurrency;
        at_least_one("queenbee_max_concurrency", most.map(u64::from))?;
        run.check()?;
        let made = Q::make(queen.init, BeeCx { my_id: MY_ID }).await;
        let bee = made.map_err(BeehiveError::NotMade)?;
        let (hive, driven) = run.start()?.into_parts();
        Ok(RunningHive::new(Queen::new(bee, hive, most), driven))
    }

    /// Makes the queen, starts her hive, and runs `tasks`, which asks her for one task or for several. Then
    /// the hive dies.
    ///
    /// Worker bees are gone when this ends, in whatever way: when `tasks` has ended they finish what they have
    /// and die, as with [`shutdown`](RunningHive::shutdown); when this future is dropped, or a task panics, they are killed.
    ///
    /// `E` is whatever a [`BeehiveError`] can be made into; a closure that uses `?` has to name it somewhere:
    ///
    /// ```
    /// # use mt_beehive::{BeehiveError, beehive_run};
    /// # #[derive(Default)] struct Worker;
    /// # #[mt_beehive::worker] impl Worker { #[task] async fn work(&self) {} }
    /// # #[derive(Default)] struct Predictor;
    /// # #[mt_beehive::queen(worker = Worker)]
    /// # impl Predictor {
    /// #     #[task] async fn train(&self) -> u32 { 3 }
    /// #     #[task] async fn predict(&self, rows: u32) -> u32 { 2 * rows }
    /// # }
    /// # #[mt_beehive::main]
    /// # async fn main() -> Result<(), BeehiveError> {
    /// # let hive = || beehive_run::<Predictor>((), ()).processes(1);
    /// let answer = hive().run(async |queen| {
    ///     let rows = queen.train().await?;
    ///     let answer = queen.predict(rows).await?;
    ///     Ok::<_, BeehiveError>(answer)
    /// });
    /// assert_eq!(answer.await?, 6);
    /// let by_name: u32 = hive().run_task("predict", 3_u32).await?;
    /// assert_eq!(by_name, 6);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of `tasks`, and before it those of [`start`](Self::start).
    pub async fn run<T, F, R, E>(self, tasks: T) -> Result<R, E>
    where
        T: FnOnce(Queen<Q>) -> F,
        F: Future<Output = Result<R, E>>,
        E: From<BeehiveError>,
    {
        let queen = self.start().await?;
        let result = tasks(queen.clone()).await;
        queen.shutdown().await;
        result
    }

    /// Runs the queen's task `name` with `args`: nothing as `()`, its argument, or a tuple of several, of
    /// exactly its types.
    ///
    /// # Errors
    /// [`BeehiveError`].
    #[doc(alias = "task_name")]
    #[doc(alias = "task_args")]
    #[doc(alias = "task_kwargs")]
    pub async fn run_task<R: 'static>(
        self,
        name: impl Into<String>,
        args: impl Sized + 'static,
    ) -> Result<R, BeehiveError> {
        self.run(|queen| queen.task(name, args)).await
    }
}
