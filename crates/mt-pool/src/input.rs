//! From the caller's input to pieces for workers, pulled only on credit.

mod exchange;
mod feeder;
mod source;

pub(crate) use exchange::{Asked, Block, Exchange, ExchangeLimits, NoRoom};
pub(crate) use feeder::{FeederOptions, spawn_feeder};
pub use source::{FromStream, IntoInput, Source, from_stream};
