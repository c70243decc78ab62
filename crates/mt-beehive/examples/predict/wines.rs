//! The data set: real wines, as a crate brings them along.

use anyhow::{Result, ensure};
use rand::{Rng, seq::SliceRandom};

/// The figures of a wine, from its acidity to its alcohol.
pub(crate) const FIGURES: usize = 11;

pub(crate) type Figures = [f64; FIGURES];

/// A wine that was tasted.
#[derive(Debug, Clone)]
pub(crate) struct Wine {
    /// The row in the data set.
    pub(crate) number: usize,
    pub(crate) figures: Figures,
    /// From 3 to 8.
    pub(crate) grade: usize,
}

/// All wines, told apart at random.
#[derive(Debug)]
pub(crate) struct Wines {
    /// Three quarters, for the model to learn from.
    pub(crate) train: Vec<Wine>,
    /// The others, for it to predict.
    pub(crate) unseen: Vec<Wine>,
}

impl Wines {
    /// Draws from `rng`.
    ///
    /// # Errors
    /// The data set is not what it is known to be.
    pub(crate) fn load(rng: &mut impl Rng) -> Result<Self> {
        let dataset = linfa_datasets::winequality();
        let records = dataset.records.rows().into_iter().zip(&dataset.targets);
        let mut wines = Vec::new();
        for (number, (figures, &grade)) in records.enumerate() {
            ensure!(figures.len() == FIGURES, "wine {number} has other figures");
            wines.push(Wine {
                number,
                figures: std::array::from_fn(|figure| figures[figure]),
                grade,
            });
        }
        wines.shuffle(rng);
        let unseen = wines.split_off(wines.len() * 3 / 4);
        ensure!(!unseen.is_empty(), "the data set is empty");
        Ok(Self {
            train: wines,
            unseen,
        })
    }
}
