//! What all requests of a session share.

use reqwest::{
    Client,
    header::{HeaderMap, HeaderValue},
};

use super::config::HttpConfig;
use crate::limits::HostLimiter;

/// What all requests of a session share.
pub(super) struct SessionParts {
    pub(super) client: Client,
    pub(super) config: HttpConfig,
    /// What goes to each request's own origin.
    pub(super) headers: HeaderMap,
    /// What goes to everybody.
    pub(super) agent: HeaderValue,
    pub(super) limiter: HostLimiter,
}
