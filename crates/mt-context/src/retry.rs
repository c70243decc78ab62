//! When a request that failed is sent again, and when not.
//!
//! Three things make a retry good for the server as well: pauses that double, with all of each at random, so that
//! those who failed together do not come back together; a bound on attempts and on the time they take together; and
//! what the server itself says in `Retry-After`. A [`RetryPolicy`] says how much of each. [`RetrySchedule`] decides:
//! pure, with the time and the chance handed in. [`retry()`] is the loop around it, for any kind of request.
//!
//! ```
//! use mt_context::retry::{FailureClass, RetryError, RetryPolicy, retry};
//!
//! #[derive(Debug)]
//! struct Refused;
//!
//! impl RetryError for Refused {
//!     fn class(&self) -> FailureClass {
//!         FailureClass::Connect
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let policy = RetryPolicy::new().pauses_ms(1, 10);
//! let third_time = |attempt| async move { if attempt < 3 { Err(Refused) } else { Ok("there") } };
//! assert_eq!(retry(&policy, third_time).await.unwrap(), "there");
//! # });
//! ```

mod failure_class;
mod policy;
mod retry_after;
mod run;
mod schedule;
#[cfg(test)]
mod tests;

pub use failure_class::FailureClass;
pub use policy::RetryPolicy;
pub use retry_after::parse_retry_after;
pub use run::{GaveUp, RetryError, retry};
#[cfg(feature = "http")]
pub(crate) use run::{before, now};
pub use schedule::{GiveUpReason, RetryDecision, RetrySchedule};
