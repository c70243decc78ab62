//! From row to answer: preprocessed, predicted in batches, postprocessed, all three at once and in order. Who
//! does the first and the last is the caller's affair.

use futures::{StreamExt, stream};

use crate::{
    clerk::{Answer, Likelihoods},
    model::Model,
    progress::Progress,
    wines::Figures,
};

/// The rows of a prediction. They come in order, so a batch has the same rows whoever is late.
const BATCH_ROWS: usize = 256;

/// The answer of a row, or why there is none.
pub(crate) type Outcome = Result<Answer, String>;

/// How much at once, and who looks on.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Rows that are being preprocessed, and postprocessed, at once at most.
    pub(crate) in_flight: usize,
    pub(crate) progress: Progress,
}

/// The outcomes of so many rows, in order.
pub(crate) async fn predict(
    pace: Pace,
    rows: usize,
    model: &Model,
    preprocess: impl AsyncFn(usize) -> Result<Figures, String>,
    postprocess: impl AsyncFn(usize, Likelihoods) -> Outcome,
) -> Vec<Outcome> {
    let (preprocess, postprocess) = (&preprocess, &postprocess);
    let preprocessed = stream::iter(0..rows)
        .map(async |row| (row, preprocess(row).await))
        .buffered(pace.in_flight);
    let predicted = preprocessed
        .chunks(BATCH_ROWS)
        .flat_map(|batch| stream::iter(predict_batch(model, batch)));
    let answered = predicted
        .map(async |(row, predicted)| postprocess(row, predicted?).await)
        .buffered(pace.in_flight);
    answered
        .inspect(|_| pace.progress.advance())
        .collect()
        .await
}

/// Rows without figures go past the model.
fn predict_batch(
    model: &Model,
    batch: Vec<(usize, Result<Figures, String>)>,
) -> Vec<(usize, Result<Likelihoods, String>)> {
    let figures = batch.iter().filter_map(|(_, row)| row.as_ref().ok());
    let figures: Vec<Figures> = figures.copied().collect();
    let mut predicted = model.predict(&figures).into_iter();
    let of_row = |(row, figures): (usize, Result<Figures, String>)| {
        let likelihoods = figures.map(|_| predicted.next().expect("one for each"));
        (row, likelihoods)
    };
    batch.into_iter().map(of_row).collect()
}
