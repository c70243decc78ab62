//! The queen bee: owns the dataframe and the model, predicts in batches, and delegates the rest.

use std::rc::Rc;

use anyhow::Result;
use mt_beehive::Hive;
use tokio::task::{LocalSet, spawn_local};

use crate::{
    clerk::{Clerk, ClerkTasks},
    frame::Frame,
    model::Model,
    pipeline::{self, Outcome, Pace},
    scaler::Scaler,
    wines::Wine,
};

pub(crate) struct Sommelier {
    frame: Frame,
    model: Model,
}

#[mt_beehive::queen(worker = Clerk, tasks = pub(crate) SommelierTasks)]
impl Sommelier {
    /// Trains her model.
    pub(crate) fn new(frame: Frame, train: Vec<Wine>, scaler: Scaler) -> Result<Self> {
        let model = Model::train(&train, &scaler)?;
        Ok(Self { frame, model })
    }

    /// Predicts every row, with worker bees.
    #[task]
    pub(crate) async fn predict(&self, hive: &Hive<Clerk>, pace: Pace) -> Vec<Outcome> {
        pipeline::predict(
            pace,
            self.frame.rows.len(),
            &self.model,
            async |row| Ok(hive.preprocess(row).await?),
            async |row, likelihoods| Ok(hive.postprocess(row, likelihoods).await?),
        )
        .await
    }

    /// The same, with a clerk of this process.
    pub(crate) async fn predict_alone(&self, clerk: Clerk, pace: Pace) -> Vec<Outcome> {
        let clerk = Rc::new(clerk);
        let (before, after) = (Rc::clone(&clerk), clerk);
        let pipeline = pipeline::predict(
            pace,
            self.frame.rows.len(),
            &self.model,
            move |row| {
                let clerk = Rc::clone(&before);
                begun(async move { clerk.preprocess(row).await })
            },
            move |row, likelihoods| {
                let clerk = Rc::clone(&after);
                begun(async move { clerk.postprocess(row, likelihoods).await })
            },
        );
        LocalSet::new().run_until(pipeline).await
    }
}

/// Begins what a clerk of this process does. Like a bee's it goes on by itself, also while the pipeline looks
/// elsewhere: it has connections that others wait for.
async fn begun<R: 'static>(task: impl Future<Output = Result<R>> + 'static) -> Result<R, String> {
    let done = spawn_local(task).await;
    let done = done.map_err(|error| error.to_string())?;
    done.map_err(|error| format!("raised: {error:#}")) // as it is told of a delegated task
}
