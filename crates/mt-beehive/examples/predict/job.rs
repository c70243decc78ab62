//! What is to be done, and the two ways to do it: with worker bees, and in this process alone.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    io::IsTerminal,
    net::SocketAddr,
    pin::pin,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures::future::{Either, select};
use mt_beehive::{BeehiveError, Population, beehive_run};
use rand::{SeedableRng, rngs::ChaCha8Rng};

use crate::{
    archive::Archive,
    chaos,
    clerk::{Clerk, Training},
    cli::Args,
    frame::{self, Frame},
    pipeline::{Outcome, Pace},
    progress::Progress,
    queen::{Predictions, Sommelier, SommelierTasks},
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
    /// The numbers of answered rows at which a bee is killed.
    kills: Vec<usize>,
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
    /// Those that have done something, one after the other.
    pub(crate) worked: usize,
    pub(crate) killed: usize,
    /// The requests of tasks that had made them once, before their bee died.
    pub(crate) repeated: u64,
}

impl Job {
    /// # Errors
    /// The data set is not what it is known to be.
    pub(crate) fn new(args: &Args) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
        let rows = args.rows as usize;
        let wines = Wines::load(&mut rng)?;
        let scaler = Scaler::of(&wines.train);
        let (frame, mut records) = Frame::fill(&wines.unseen, rows, &scaler, &mut rng);
        frame::spoil(&mut records, args.spoil as usize, &mut rng);
        let kills = chaos::points(args.chaos.unwrap_or(0), rows, &mut rng);
        let processors = || thread::available_parallelism().map_or(2, |n| n.get().max(2));
        Ok(Self {
            train: wines.train,
            frame,
            records,
            scaler,
            latency: Duration::from_millis(args.latency_ms.into()),
            in_flight: args.in_flight as usize,
            bees: args.bees.map_or_else(processors, |bees| bees as usize),
            kills,
            shows_progress: !(args.quiet || args.no_progress),
        })
    }

    /// With a queen and her worker bees.
    ///
    /// # Errors
    /// There is no archive, or no hive.
    pub(crate) async fn with_bees(&self) -> Result<Found> {
        let archive = self.open_archive().await?;
        let pace = self.pace();
        let killed = RefCell::new(BTreeSet::new());
        let queen = (self.frame.clone(), self.train.clone(), self.scaler.clone());
        let hive = beehive_run::<Sommelier>(queen, self.training(archive.address))
            .population(Population::Fixed(self.bees))
            // Who is killed at random says nothing about the rows she had.
            .crash_limit(CRASH_LIMIT + self.kills.len() as u32);
        let began = Instant::now();
        let found: Result<Predictions, BeehiveError> = hive
            .run(async |queen| {
                let work = queen.predict(pace.clone());
                let kills = self.kills.clone();
                let chaos = chaos::wreak(queen.hive(), kills, &pace.progress, &killed);
                match select(work, pin!(chaos)).await {
                    Either::Left((found, _)) => found,
                    Either::Right((never, _)) => match never {},
                }
            })
            .await;
        let took = began.elapsed();
        let Predictions { outcomes, bees } = found?;
        let killed = killed.into_inner();
        Ok(Found {
            kept: kept(&archive, &outcomes),
            outcomes,
            took,
            bees: Some(Bees {
                at_once: self.bees,
                worked: bees.union(&killed).count(),
                killed: killed.len(),
                repeated: archive.repeated(),
            }),
        })
    }

    /// The same, by the same functions, in this process.
    ///
    /// # Errors
    /// There is no archive, or no model.
    pub(crate) async fn alone(&self) -> Result<Found> {
        let archive = self.open_archive().await?;
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

    async fn open_archive(&self) -> Result<Archive> {
        let archive = Archive::open(self.records.clone(), self.latency).await;
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
