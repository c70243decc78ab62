//! What was measured of one row.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::{
    measure::{Percentiles, Sample, rounded},
    peers::Peer,
    rows::{Missing, Reach, Row},
};

/// All samples of a row, in the order they were taken.
#[derive(Debug, Default, Serialize)]
pub(super) struct Samples {
    ours: Side,
    limit: Side,
    /// What the machine must have for the row and has not.
    #[serde(skip)]
    pub(super) missing: Option<String>,
    /// Each peer's, or why there are none.
    peers: BTreeMap<&'static str, Result<Side, String>>,
}

/// Samples of one side.
#[derive(Debug, Default, Serialize)]
struct Side {
    values: Vec<f64>,
    /// From start to end, process starts included, in seconds.
    whole_s: Vec<f64>,
    /// Of single calls, in microseconds, where a sample is made of those.
    #[serde(skip)]
    percentiles_us: Vec<Percentiles>,
}

/// The medians of a row, and what they are of the limit.
#[derive(Debug, Serialize)]
pub(super) struct Measured<'a> {
    pub(super) id: &'static str,
    pub(super) variant: &'a str,
    pub(super) title: &'a str,
    pub(super) unit: &'static str,
    /// `more` or `less`.
    pub(super) better: &'static str,
    pub(super) ours: Option<f64>,
    pub(super) limit: Option<f64>,
    pub(super) ratio: Option<f64>,
    pub(super) reach: String,
    pub(super) reached: Option<bool>,
    pub(super) missing: Option<&'a str>,
    pub(super) peers: BTreeMap<&'static str, f64>,
    pub(super) peers_missing: BTreeMap<&'static str, &'a str>,
    /// Of single calls, in microseconds: ours and the limit's.
    pub(super) percentiles_us: Option<[Percentiles; 2]>,
    pub(super) samples: &'a Samples,
}

impl Samples {
    /// Runs the limit and ours once each.
    pub(super) fn measure(&mut self, row: &Row) -> Result<()> {
        let both = (row.limit)().and_then(|limit| Ok((limit, (row.ours)()?)));
        match both {
            Ok((limit, ours)) => {
                self.limit.add(limit);
                self.ours.add(ours);
            }
            Err(error) => self.missing = Some(error.downcast::<Missing>()?.to_string()),
        }
        Ok(())
    }

    /// Runs each peer once that could be run so far. What a peer does wrong is told of it, and goes no further.
    pub(super) fn measure_peers(&mut self, row: &Row) {
        for Peer { name, run } in &row.peers {
            let samples = self
                .peers
                .entry(name)
                .or_insert_with(|| Ok(Side::default()));
            if let Ok(side) = samples {
                match run() {
                    Ok(sample) => side.add(sample),
                    Err(error) => *samples = Err(format!("{error:#}")),
                }
            }
        }
    }

    /// The medians.
    pub(super) fn measured<'a>(&'a self, row: &'a Row) -> Measured<'a> {
        let (ours, limit) = (median(&self.ours.values), median(&self.limit.values));
        let ratio = ours.zip(limit).map(|(ours, limit)| rounded(ours / limit));
        let mut peers = BTreeMap::new();
        let mut peers_missing = BTreeMap::new();
        for (&name, side) in &self.peers {
            match side {
                Ok(side) => peers.extend(median(&side.values).map(|value| (name, value))),
                Err(why) => _ = peers_missing.insert(name, why.as_str()),
            }
        }
        let both = self.ours.percentiles().zip(self.limit.percentiles());
        Measured {
            id: row.id,
            variant: &row.variant,
            title: &row.title,
            unit: row.unit,
            better: match row.reach {
                Reach::AtMost(_) => "less",
                Reach::AtLeast(_) | Reach::Shown => "more",
            },
            ours,
            limit,
            ratio,
            reach: row.reach.to_string(),
            reached: ratio.and_then(|ratio| row.reach.is_met(ratio)),
            missing: self.missing.as_deref(),
            peers,
            peers_missing,
            percentiles_us: both.map(|(ours, limit)| [ours, limit]),
            samples: self,
        }
    }
}

impl Side {
    fn add(&mut self, sample: Sample) {
        self.values.push(rounded(sample.value));
        self.whole_s.push(rounded(sample.whole.as_secs_f64()));
        self.percentiles_us.extend(sample.percentiles_us);
    }

    /// The median of each percentile.
    fn percentiles(&self) -> Option<Percentiles> {
        let mut medians = *self.percentiles_us.first()?;
        for (at, value) in medians.iter_mut().enumerate() {
            let all: Vec<f64> = self.percentiles_us.iter().map(|one| one[at]).collect();
            *value = median(&all)?;
        }
        Some(medians)
    }
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(rounded(f64::midpoint(sorted[middle - 1], sorted[middle]))),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
            (&[4.0, 1.0, 2.0, 8.0], Some(3.0)),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }
}
