//! The dataframe: a row for each prediction that is wanted, and what is known of it beforehand. Its records
//! lie in the archive.

use rand::{Rng, RngExt, seq::index};

use crate::{
    record,
    scaler::Scaler,
    wines::{FIGURES, Figures, Wine},
};

/// How far noise moves a figure at most, in deviations.
const NOISE: f64 = 0.1;

/// A row, without its record.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The wine's row in the data set.
    pub(crate) wine: usize,
    /// Whether its figures were moved a little, because that wine has a row already.
    pub(crate) is_noisy: bool,
    /// What tasters have said.
    pub(crate) grade: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) rows: Vec<Row>,
}

impl Frame {
    /// So many rows, and the records of them: every wine as it is, and from then on again and again with
    /// noise.
    pub(crate) fn fill(
        wines: &[Wine],
        rows: usize,
        scaler: &Scaler,
        rng: &mut impl Rng,
    ) -> (Self, Vec<String>) {
        let of_row = |(row, wine): (usize, &Wine)| {
            let is_noisy = row >= wines.len();
            let figures = match is_noisy {
                true => noisy(&wine.figures, scaler, rng),
                false => wine.figures,
            };
            let row = Row {
                wine: wine.number,
                is_noisy,
                grade: wine.grade,
            };
            (row, record::write(&figures))
        };
        let again = wines.iter().cycle().take(rows).enumerate();
        let (rows, records) = again.map(of_row).unzip();
        (Self { rows }, records)
    }
}

/// As another laboratory may have measured it: to four places, and never below 0.
fn noisy(figures: &Figures, scaler: &Scaler, rng: &mut impl Rng) -> Figures {
    std::array::from_fn(|i| {
        let noise = rng.random_range(-NOISE..NOISE) * scaler.deviation[i];
        ((figures[i] + noise).max(0.0) * 1e4).round() / 1e4
    })
}

/// Damages so many of the records.
pub(crate) fn spoil(records: &mut [String], count: usize, rng: &mut impl Rng) {
    for row in index::sample(rng, records.len(), count.min(records.len())) {
        records[row] = record::damage(&records[row], rng.random_range(0..FIGURES));
    }
}
