//! Hives for tests.

use std::fmt;

use mt_beehive::{
    BeehiveError, BeehiveRun, CancelReason, DelegateError, Dispatch, Hive, bee::WorkerBee,
};
use mt_test_kit::children;

/// What a test does with a hive.
pub(crate) trait Live<W: WorkerBee> {
    /// Starts the hive, does this, and lets the hive die. Unlike [`BeehiveRun::run`] for what has no error.
    async fn live<T>(self, task: impl AsyncFnOnce(Hive<W>) -> T) -> Result<T, BeehiveError>;
}

impl<W: WorkerBee> Live<W> for BeehiveRun<W> {
    async fn live<T>(self, task: impl AsyncFnOnce(Hive<W>) -> T) -> Result<T, BeehiveError> {
        let hive = self.start()?;
        let output = task(hive.clone()).await;
        hive.shutdown().await;
        Ok(output)
    }
}

/// Tells a story of the hive that `made` makes, with the auction and then with credit.
pub(crate) async fn either_way<W: WorkerBee>(
    made: impl Fn() -> BeehiveRun<W>,
    story: impl AsyncFn(Hive<W>),
) {
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        let hive = made().dispatch(dispatch);
        hive.live(&story).await.unwrap();
        assert_eq!(children(), [0_u32; 0], "bees are left, {dispatch:?}");
    }
}

/// Why it was cancelled.
pub(crate) fn reason<R: fmt::Debug, E: fmt::Debug>(
    result: Result<R, DelegateError<E>>,
) -> CancelReason {
    match result {
        Err(DelegateError::Cancelled(reason)) => reason,
        other => panic!("{other:?}"),
    }
}
