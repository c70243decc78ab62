//! How many requests a host gets at once, and how many in a time: politeness, and the way around being throttled.
//!
//! Whoever wants to send a request waits for an [`Admission`] to its host, first come, first served, and keeps it until
//! the answer's last byte. [`HostLimits`] says how many there are. What decides is pure and takes the time as an argument
//! (a queue for each host, and a gate for its rate); [`HostLimiter`] is the shell that waits.
//!
//! ```
//! use mt_context::limits::{HostLimiter, HostLimits, RateLimit};
//! use std::time::Duration;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let limits = HostLimits::new().concurrency(2).rate(RateLimit::new(100, Duration::from_secs(1)));
//! let limiter = HostLimiter::new(&limits)?;
//! let first = limiter.admit("https://example.com").await;
//! let second = limiter.admit("https://example.com").await;
//! drop(first);
//! let third = limiter.admit("https://example.com").await;
//! # drop((second, third));
//! # Ok::<_, mt_context::OutOfRange>(())
//! # }).unwrap();
//! ```

mod host_limits;
mod host_queue;
mod limiter;
mod rate_gate;
#[cfg(test)]
mod tests;

pub use host_limits::{HostLimits, RateLimit};
pub use limiter::{Admission, HostLimiter};
