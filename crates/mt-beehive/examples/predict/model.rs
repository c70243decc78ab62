//! The model: a multinomial logistic regression of linfa. The same for the same wines, to the bit.

use anyhow::Result;
use linfa::{Dataset, traits::Fit};
use linfa_logistic::{MultiFittedLogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2, ArrayView1};

use crate::{
    clerk::Likelihoods,
    scaler::Scaler,
    wines::{FIGURES, Figures, Wine},
};

/// More are not needed for these wines.
const MAX_ITERATIONS: u64 = 100;

#[derive(Debug)]
pub(crate) struct Model(MultiFittedLogisticRegression<f64, usize>);

impl Model {
    /// Trains it.
    ///
    /// # Errors
    /// The error of linfa.
    pub(crate) fn train(wines: &[Wine], scaler: &Scaler) -> Result<Self> {
        let rows: Vec<Figures> = wines
            .iter()
            .map(|wine| scaler.standardise(&wine.figures))
            .collect();
        let grades: Array1<usize> = wines.iter().map(|wine| wine.grade).collect();
        let model = MultiLogisticRegression::default().max_iterations(MAX_ITERATIONS);
        Ok(Self(model.fit(&Dataset::new(matrix(&rows), grades))?))
    }

    /// How likely each grade is, for every row.
    pub(crate) fn predict(&self, batch: &[Figures]) -> Vec<Likelihoods> {
        let probabilities = self.0.predict_probabilities(&matrix(batch));
        let of_row = |row: ArrayView1<f64>| {
            let grades = self.0.classes().iter();
            grades.copied().zip(row.iter().copied()).collect()
        };
        probabilities.rows().into_iter().map(of_row).collect()
    }
}

fn matrix(rows: &[Figures]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), FIGURES), |(row, figure)| rows[row][figure])
}
