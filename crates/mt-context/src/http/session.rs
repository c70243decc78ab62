//! The session: a client and what holds for all its requests.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use reqwest::Method;

use super::{config::HttpConfig, request::HttpRequest, session_parts::SessionParts};
use crate::{context_error::ContextError, limits::HostLimiter, transport::shared_client};

/// A client with its retries and limits: the seed's `http_session`. Clones are the same session.
///
/// Made inside a tokio runtime, and used there: connections belong to it, and are shared by all its sessions.
#[derive(Clone)]
pub struct HttpSession {
    shared: Arc<SessionParts>,
}

impl HttpSession {
    /// A session made of a config. Takes 40 ms for a process's first, which reads the system's root certificates.
    ///
    /// # Errors
    /// [`ContextError::Option`] for an option out of its range; [`ContextError::Client`] if the proxy's URL is none, or a
    /// root certificate can't be read.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(config: &HttpConfig) -> Result<Self, ContextError> {
        config.check()?;
        let shared = SessionParts {
            client: shared_client(&config.transport())?,
            headers: config.header_map()?,
            agent: config.agent()?,
            limiter: HostLimiter::of_process(&config.limits)?,
            config: config.clone(),
        };
        let shared = Arc::new(shared);
        Ok(Self { shared })
    }

    /// Takes leave of it: what its clones have begun goes on.
    pub(crate) async fn close(self) {
        drop(self);
    }

    /// Asks for what is at this URL.
    pub fn get(&self, url: &str) -> HttpRequest {
        HttpRequest::new(&self.shared, Method::GET, url)
    }

    /// Asks for the headers of what is at this URL.
    pub fn head(&self, url: &str) -> HttpRequest {
        HttpRequest::new(&self.shared, Method::HEAD, url)
    }

    /// Sends this there. Sent again only where the server has surely not acted: it may count.
    pub fn post(&self, url: &str, body: impl Into<Bytes>) -> HttpRequest {
        HttpRequest::new(&self.shared, Method::POST, url).body(body.into())
    }

    /// Puts this there, as often as is needed.
    pub fn put(&self, url: &str, body: impl Into<Bytes>) -> HttpRequest {
        HttpRequest::new(&self.shared, Method::PUT, url).body(body.into())
    }

    /// Deletes what is at this URL, as often as is needed.
    pub fn delete(&self, url: &str) -> HttpRequest {
        HttpRequest::new(&self.shared, Method::DELETE, url)
    }

    /// What its requests wait for.
    #[must_use]
    pub fn limiter(&self) -> &HostLimiter {
        &self.shared.limiter
    }
}

impl fmt::Debug for HttpSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("HttpSession");
        debug
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}
