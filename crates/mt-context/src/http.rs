//! An HTTP session: what tasks fetch and send things with.
//!
//! A [`HttpSession`] is made in the worker from a [`HttpConfig`] that crosses to it, and is shared by all that the worker
//! does at once. A [`HttpRequest`] of it is retried by the session's [`RetryPolicy`](crate::retry::RetryPolicy), waits for
//! its turn at the host by the session's [`HostLimits`](crate::limits::HostLimits), and takes memory for one piece of
//! the body, whose length may be anything. What fails is a [`HttpError`] that says where, why and whether another
//! attempt can help, and that a task may return: it crosses.
//!
//! ```no_run
//! use mt_context::http::{HttpConfig, HttpSession};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let session = HttpSession::open(&HttpConfig::new())?;
//! let page = session.get("https://example.com/").bytes().await?;
//! let saved = session.get("https://example.com/large.bin").download("large.bin").await?;
//! println!("{} and {} bytes", page.len(), saved.bytes);
//! # Ok(())
//! # }
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
mod partial_file;
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
