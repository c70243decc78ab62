//! The worker bee: what there is to do for each row, before the prediction and after it.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::{client::Client, record, scaler::Scaler, wines::Figures};

/// How far the sum of likelihoods may be from 1.
const ROUNDING: f64 = 1e-9;

/// What every clerk is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Training {
    /// Where the archive is.
    pub(crate) archive: SocketAddr,
    pub(crate) scaler: Scaler,
}

pub(crate) struct Clerk {
    archive: Client,
    scaler: Scaler,
}

/// How likely each grade is that the model knows.
pub(crate) type Likelihoods = Vec<(usize, f64)>;

/// What is said of a row in the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The likeliest grade.
    pub(crate) grade: usize,
    /// How likely it is.
    pub(crate) confidence: f64,
    pub(crate) likelihoods: Likelihoods,
}

#[mt_beehive::worker(tasks = pub(crate) ClerkTasks)]
impl Clerk {
    pub(crate) fn new(training: Training) -> Self {
        Self {
            archive: Client::new(training.archive),
            scaler: training.scaler,
        }
    }

    /// Fetches a row's record, and makes what the model wants of it.
    #[task]
    pub(crate) async fn preprocess(&self, row: usize) -> Result<Figures> {
        let record = self.archive.get(row).await?;
        let figures = record::parse(&record).with_context(|| format!("row {row}"))?;
        Ok(self.scaler.standardise(&figures))
    }

    /// Makes an answer of what the model has said, and stores it.
    #[task]
    pub(crate) async fn postprocess(&self, row: usize, likelihoods: Likelihoods) -> Result<Answer> {
        let sum: f64 = likelihoods.iter().map(|(_, likelihood)| likelihood).sum();
        ensure!(
            (sum - 1.0).abs() < ROUNDING,
            "the likelihoods of row {row} add up to {sum}"
        );
        let likeliest = likelihoods
            .iter()
            .max_by(|one, other| one.1.total_cmp(&other.1));
        let &(grade, confidence) = likeliest.context("the model knows no grade")?;
        let answer = Answer {
            grade,
            confidence,
            likelihoods,
        };
        self.archive.put(row, &answer.line()).await?;
        Ok(answer)
    }
}

impl Answer {
    /// As the archive keeps it.
    pub(crate) fn line(&self) -> String {
        format!("grade {} confidence {}", self.grade, self.confidence)
    }
}
