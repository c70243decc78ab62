//! From the caller's input to pieces for workers, pulled only on credit.

mod exchange;
mod feeder;
mod going_runs;
mod places;
mod run_input;
mod source;

pub(crate) use exchange::{
    Asked, CallRecord, ConsumerEnd, DriverEnd, ExchangeLimits, FeedEnd, NoRoom, RunControl,
    WeakRunControl, exchange,
};
pub(crate) use feeder::{spawn_feeder, spawn_scoped_feeder};
pub(crate) use going_runs::{GoingRun, GoingRuns};
pub use mt_proto::CrossesAs;
pub(crate) use places::{CallPlaces, HeldPlace, InLine, PlaceLimits};
pub(crate) use run_input::Feedable;
pub use run_input::RunInput;
pub(crate) use source::exact_len;
pub use source::{FromStream, IntoInput, Source, from_stream};
