//! Figures as the model wants them: each with mean 0 and deviation 1.

use serde::{Deserialize, Serialize};

use crate::wines::{FIGURES, Figures, Wine};

/// What each figure of the wines that train the model is like.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Scaler {
    mean: Figures,
    /// Never 0.
    pub(crate) deviation: Figures,
}

impl Scaler {
    pub(crate) fn of(wines: &[Wine]) -> Self {
        let count = wines.len().max(1) as f64;
        let mean_of = |value: &dyn Fn(&Wine, usize) -> f64| -> Figures {
            std::array::from_fn(|figure| {
                wines.iter().map(|wine| value(wine, figure)).sum::<f64>() / count
            })
        };
        let mean = mean_of(&|wine, figure| wine.figures[figure]);
        let variance = mean_of(&|wine, figure| (wine.figures[figure] - mean[figure]).powi(2));
        let deviation = variance.map(|variance| match variance.sqrt() {
            0.0 => 1.0,
            deviation => deviation,
        });
        Self { mean, deviation }
    }

    pub(crate) fn standardise(&self, figures: &Figures) -> Figures {
        let standard = |i: usize| (figures[i] - self.mean[i]) / self.deviation[i];
        let mut standardised = [0.0; FIGURES];
        for (i, value) in standardised.iter_mut().enumerate() {
            *value = standard(i);
        }
        standardised
    }
}
