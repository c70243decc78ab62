//! What is to be done, and the two ways to do it: with worker bees, and in this process alone.

use std::{
    io::IsTerminal,
    net::SocketAddr,
    pin::pin,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures::future::{Either, join, select};
use mt_beehive::{BeehiveError, Dispatch, beehive_run, stats::HiveStats};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::{
    archive::Archive,
    chaos::Chaos,
    clerk::{Clerk, Training},
    cli::Args,
    frame::{self, Frame},
    pipeline::{Outcome, Pace},
    progress::Progress,
    queen::{Sommelier, SommelierTasks},
    record,
    scaler::Scaler,
    wines::{Wine, Wines},
};

/// The deaths of her bees that a row survives unless bees are killed on purpose: as is the default.
const CRASH_LIMIT: u32 = 3;

/// The data, and how to go about it. The same for the same options.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) train: Vec<Wine>,
    pub(crate) frame: Frame,
    records: Vec<String>,
    scaler: Scaler,
    latency: Duration,
    in_flight: usize,
    bees: usize,
    dispatch: Dispatch,
    /// The row whose record aborts whoever preprocesses it.
    pub(crate) poison: Option<usize>,
    chaos: Chaos,
    shows_progress: bool,
}

/// What was found out, and how.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) took: Duration,
    /// The answers that the archive keeps as they are here.
    pub(crate) kept: usize,
    /// Unless it was done by this process alone.
    pub(crate) bees: Option<Bees>,
}

/// Who has helped.
#[derive(Debug)]
pub(crate) struct Bees {
    pub(crate) at_once: usize,
    /// What they have done, and who was lost.
    pub(crate) stats: HiveStats,
    /// The requests of tasks that had made them once, before their bee died.
    pub(crate) repeated: u64,
}

impl Found {
    /// Whether Ctrl-C has kept some rows from being done.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.bees
            .as_ref()
            .is_some_and(|bees| bees.stats.interrupted)
    }
}

impl Job {
    /// # Errors
    /// The data set is not what it is known to be, or there is no row to poison.
    pub(crate) fn new(args: &Args) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
        let rows = args.rows as usize;
        let wines = Wines::load(&mut rng)?;
        let scaler = Scaler::of(&wines.train);
        let (frame, mut records) = Frame::fill(&wines.unseen, rows, &scaler, &mut rng);
        frame::spoil(&mut records, args.spoil as usize, &mut rng);
        let poison = args.poison.map(|row| match row {
            Some(row) => row as usize,
            None => rng.random_range(0..rows),
        });
        ensure!(
            poison.is_none_or(|row| row < rows),
            "there is no such row to poison: rows are 0 to {}",
            rows - 1
        );
        let chaos = Chaos::new(args.chaos.unwrap_or(0), rows, &mut rng);
        let processors = || thread::available_parallelism().map_or(2, |n| n.get().max(2));
        Ok(Self {
            train: wines.train,
            frame,
            records,
            scaler,
            latency: Duration::from_millis(args.latency_ms.into()),
            in_flight: args.in_flight as usize,
            bees: args.bees.map_or_else(processors, |bees| bees as usize),
            dispatch: match args.credit {
                true => Dispatch::Credit,
                false => Dispatch::Auction,
            },
            poison,
            chaos,
            shows_progress: !(args.quiet || args.no_progress),
        })
    }

    /// With a queen and her worker bees.
    ///
    /// # Errors
    /// There is no archive, or no hive.
    pub(crate) async fn with_bees(&self) -> Result<Found> {
        let mut records = self.records.clone();
        if let Some(row) = self.poison {
            records[row] = record::POISON.to_owned();
        }
        let archive = self.open_archive(records).await?;
        let pace = self.pace();
        let queen = (self.frame.clone(), self.train.clone(), self.scaler.clone());
        let hive = beehive_run::<Sommelier>(queen, self.training(archive.address))
            .processes(self.bees)
            .dispatch(self.dispatch)
            // A kill at random may also hit a row that is alone in a bee, in what would be its last attempt: that
            // says nothing about the row.
            .crash_limit(CRASH_LIMIT + self.chaos.kills());
        let began = Instant::now();
        let found: Result<_, BeehiveError> = hive
            .run(async |queen| {
                let work = queen.predict(pace.clone());
                let hive = queen.hive();
                let chaos = self.chaos.wreak(hive, &pace.progress);
                let meanwhile = join(chaos, pace.progress.interrupted(hive.interrupted()));
                match select(work, pin!(meanwhile)).await {
                    Either::Left((outcomes, _)) => Ok((outcomes?, hive.clone())),
                    Either::Right(((never, _), _)) => match never {},
                }
            })
            .await;
        let took = began.elapsed();
        let (outcomes, hive) = found?;
        Ok(Found {
            kept: kept(&archive, &outcomes),
            outcomes,
            took,
            bees: Some(Bees {
                at_once: self.bees,
                stats: hive.stats().await,
                repeated: archive.repeated(),
            }),
        })
    }

    /// The same, by the same functions, in this process. Here no record is poisoned: nobody would be left.
    ///
    /// # Errors
    /// There is no archive, or no model.
    pub(crate) async fn alone(&self) -> Result<Found> {
        let archive = self.open_archive(self.records.clone()).await?;
        let began = Instant::now();
        let (train, scaler) = (self.train.clone(), self.scaler.clone());
        let queen = Sommelier::new(self.frame.clone(), train, scaler)?;
        let clerk = Clerk::new(self.training(archive.address));
        let outcomes = queen.predict_alone(clerk, self.pace()).await;
        Ok(Found {
            kept: kept(&archive, &outcomes),
            took: began.elapsed(),
            outcomes,
            bees: None,
        })
    }

    async fn open_archive(&self, records: Vec<String>) -> Result<Archive> {
        let archive = Archive::open(records, self.latency).await;
        archive.context("the archive can't be opened")
    }

    fn training(&self, archive: SocketAddr) -> Training {
        let scaler = self.scaler.clone();
        Training { archive, scaler }
    }

    fn pace(&self) -> Pace {
        let is_shown = self.shows_progress && std::io::stderr().is_terminal();
        Pace {
            in_flight: self.in_flight,
            progress: Progress::new(self.frame.rows.len(), is_shown),
        }
    }
}

fn kept(archive: &Archive, outcomes: &[Outcome]) -> usize {
    let is_kept = |(row, outcome): &(usize, &Outcome)| {
        let answer = outcome.as_ref().ok().map(|answer| answer.line());
        answer.is_some() && archive.answer(*row) == answer
    };
    outcomes.iter().enumerate().filter(is_kept).count()
}
