//! What can go wrong: with a run ([`BeehiveError`], [`StartError`]), and with one delegated task
//! ([`DelegateError`]).

mod beehive;
mod cancel_reason;
mod crossing;
mod delegate;
mod exception;

pub use beehive::BeehiveError;
pub use cancel_reason::{CancelReason, NoWorkers};
pub use crossing::{CrossingError, CrossingProblem, OtherType, Part};
pub use delegate::DelegateError;
pub use exception::Exception;
pub use mt_pool::StartError;
