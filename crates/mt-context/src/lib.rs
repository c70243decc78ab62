//! What tasks in worker processes work with: an object store and an HTTP session.
//!
//! A client can't be sent to a worker process; what it is made of can. [`ContextConfig`] is that, and
//! [`ContextVars`] is made of it in the worker, as the [`Context`](mt_pool::Context) of its task:
//!
//! ```
//! use mt_context::{ContextConfig, ContextVars};
//!
//! #[mt_pool::task]
//! async fn size_of(#[context] vars: &ContextVars, url: String) -> Result<u64, String> {
//!     let info = vars.s3_client().list_object_info(&url).await;
//!     info.map(|info| info.size_bytes).map_err(|error| error.to_string())
//! }
//!
//! # fn config() -> ContextConfig {
//! // With the feature `s3`: ContextConfig::new().s3_profile("backup")
//! ContextConfig::new()
//! # }
//! # fn main() {}
//! ```
//!
//! A run takes the config with `.context(config)`, whichever it is: `asyn_pmap`, `asyn_work_generator`,
//! `run_asyn_works_in_context`, and calls of a pool. A worker bee makes her own in `new`, of a config she is given.
//!
//! One context is for a batch of items, or for all of a worker: that is the run's `batch_size`. What is dear in a client,
//! the certificates and the connections, all contexts of a worker share.
//!
//! # Features
//!
//! | feature | what it gives | without it |
//! |---|---|---|
//! | – | [`limits`] and [`retry`], for clients of your own | |
//! | `store` | `ContextVars::s3_client`, whose `Store` has the helpers for `file://` and `memory://` | |
//! | `s3` | `store`, and there `s3://` with the profiles of AWS | such an address is an error that says so |
//! | `http` | `ContextVars::http_session` | |
//!
//! None is on by default: with that the crate adds two crates to what `mt-pool` has (itself and `httpdate`), `store` 50, `http` 74, `s3`
//! 102 (`cargo tree -e normal`).

mod config;
mod context_error;
#[cfg(feature = "http")]
pub mod http;
pub mod limits;
mod out_of_range;
#[cfg(any(feature = "http", feature = "store"))]
mod partial_file;
#[cfg(any(feature = "http", feature = "store"))]
mod platform;
pub mod retry;
#[cfg(feature = "s3")]
pub mod s3;
mod secret;
#[cfg(feature = "store")]
pub mod store;
#[cfg(any(feature = "http", feature = "s3"))]
mod transport;
mod vars;

pub use config::ContextConfig;
pub use context_error::ContextError;
pub use out_of_range::OutOfRange;
pub use secret::Secret;
#[cfg(feature = "store")]
pub use store::{Store, StoreError};
pub use vars::{ContextVars, create_context_vars};
