//! An HTTP session: what tasks fetch and send things with.
//!
//! A [`HttpSession`] is made in the worker from a [`HttpConfig`] that crosses to it, and is shared by all that the worker
//! does at once. A [`HttpRequest`] of it is retried by the session's [`RetryPolicy`](crate::retry::RetryPolicy), waits for
//! its turn at the host by the session's [`HostLimits`](crate::limits::HostLimits), and takes memory for one piece of
//! the body, whose length may be anything. What fails is a [`HttpError`] that says where, why and whether another
//! attempt can help, and that a task may return: it crosses.
//!
//! ```no_run
//! use mt_context::{ContextConfig, ContextVars, http::{HttpConfig, HttpError}, limits::HostLimits};
//! use mt_pool::{TaskErrorKind, asyn_pmap};
//!
//! #[mt_pool::task]
//! async fn fetch(#[context] vars: &ContextVars, name: String) -> Result<u64, HttpError> {
//!     let url = format!("https://example.com/{name}");
//!     let saved = vars.http_session().get(&url).download(name).await?;
//!     Ok(saved.bytes)
//! }
//!
//! #[mt_pool::main]
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let http = HttpConfig::new().limits(HostLimits::new().concurrency(16));
//!     let names = ["a.csv", "b.csv"].map(String::from);
//!     let run = asyn_pmap::<fetch>(names).context(ContextConfig::new().http(http)).processes(2);
//!     for outcome in run.max_concurrency(64).start()? {
//!         match outcome {
//!             Ok(bytes) => println!("{bytes} bytes"),
//!             Err(error) => match error.kind() {
//!                 TaskErrorKind::Raised(error) if error.status() == Some(404) => println!("{}: not there", error.url()),
//!                 other => println!("{other}"),
//!             },
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # What is sent where
//! Redirects are followed here, not by the client below, so that each host's limits hold for what is redirected to it.
//! To another origin than the request's own go only headers that say nothing about who asks (`Accept`, `Range` and
//! their like); no other header, and no user or password. Neither errors, nor events of `tracing`, nor any `Debug` have a
//! URL's query, its user or password, or the value of a header.

mod config;
mod content_range;
mod display_url;
mod download;
mod error;
mod exchange;
mod failure;
mod gunzip;
mod redirect;
mod request;
mod response;
mod session;
mod session_parts;
mod transfer;
mod validator;
mod version;

pub use config::{HttpConfig, HttpProxy};
pub use download::Downloaded;
pub use error::{HttpError, HttpErrorKind};
pub use request::HttpRequest;
pub use response::{BodyStream, HttpResponse};
pub use session::HttpSession;
pub use transfer::BodyProgress;
