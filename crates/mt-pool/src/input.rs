//! From the caller's input to pieces for workers, pulled only on credit.

mod exchange;
mod feeder;
mod going_runs;
mod places;
mod source;

pub(crate) use exchange::{
    Asked, CallRecord, ConsumerEnd, DriverEnd, ExchangeLimits, FeedEnd, NoRoom, RunControl,
    WeakRunControl, exchange,
};
pub(crate) use feeder::spawn_feeder;
pub(crate) use going_runs::{GoingRun, GoingRuns};
pub(crate) use places::{CallPlaces, HeldPlace, PlaceLimits};
pub use source::{FromStream, IntoInput, Source, from_stream};
