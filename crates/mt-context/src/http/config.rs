//! What a session is made of.

use std::{collections::BTreeMap, fmt, time::Duration};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    limits::HostLimits,
    out_of_range::OutOfRange,
    retry::RetryPolicy,
    secret::Secret,
    transport::{TransportOptions, TransportProxy},
};

/// The most redirects that can be allowed.
const MAX_REDIRECTS: u32 = 100;

/// What a [`HttpSession`](super::HttpSession) is made of. Crosses to workers; its `Debug` shows no secret.
///
/// | option | default | why |
/// |---|---|---|
/// | [`user_agent`](Self::user_agent) | `mt-context/` and its version | a server's owner sees whom to ask |
/// | [`header`](Self::header) | none | |
/// | [`connect_timeout`](Self::connect_timeout) | 10 s | three lost packets of a handshake; Linux itself tries for two minutes |
/// | [`read_timeout`](Self::read_timeout) | 30 s | a server that says nothing for so long is gone, mostly |
/// | [`redirects`](Self::redirects) | 10 | as `reqwest` has it: a loop ends soon |
/// | [`body_limit_bytes`](Self::body_limit_bytes) | 64 MiB | for bodies that are held in memory: 64 at once fill 4 GiB |
/// | [`gzip`](Self::gzip) | yes | text becomes a quarter |
/// | [`proxy`](Self::proxy) | the environment's | as every client has it |
/// | [`retry`](Self::retry) | [`RetryPolicy::new`] | |
/// | [`limits`](Self::limits) | [`HostLimits::new`]: 8 at once a host | |
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpConfig {
    user_agent: String,
    headers: BTreeMap<String, Secret>,
    connect_timeout: Duration,
    read_timeout: Duration,
    pub(super) redirects: u32,
    pub(super) body_limit_bytes: u64,
    pub(super) gzip: bool,
    proxy: HttpProxy,
    root_certificates: Vec<String>,
    pub(super) retry: RetryPolicy,
    pub(super) limits: HostLimits,
}

/// Through what requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HttpProxy {
    /// What the worker's variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// Nothing.
    Direct,
    /// The proxy with this URL, which may have a user and a password.
    Through(Secret),
}

impl HttpConfig {
    /// The defaults of the table above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            user_agent: concat!("mt-context/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: BTreeMap::new(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            redirects: 10,
            body_limit_bytes: 64 << 20,
            gzip: true,
            proxy: HttpProxy::default(),
            root_certificates: Vec::new(),
            retry: RetryPolicy::new(),
            limits: HostLimits::new(),
        }
    }

    /// Who asks, in the header `User-Agent` of every request.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// A header of every request, whatever its host: a session with credentials is for those whom they are meant for. A
    /// redirect to another origin does not take it along. The name's case does not matter; the last value counts.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers
            .insert(name.into().to_ascii_lowercase(), value.into());
        self
    }

    /// How long making a connection may take, with its TLS. Default 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long nothing may come, neither the beginning of an answer nor the next piece of its body. Default 30 s. How
    /// long all of it may take is [`RetryPolicy::total`].
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// How many redirects of a request are followed, 0 to 100. Default 10. With 0 a redirect is an error by its status.
    #[must_use]
    pub fn redirects(mut self, most: u32) -> Self {
        self.redirects = most;
        self
    }

    /// The most bytes of a body that is held in memory, once it is decompressed. Default 64 MiB. A request can have
    /// [its own](super::HttpRequest::body_limit_bytes), which bounds streams and downloads too.
    #[must_use]
    pub fn body_limit_bytes(mut self, most: u64) -> Self {
        self.body_limit_bytes = most;
        self
    }

    /// Whether servers are asked to compress what they send, unless it is for a file. Default yes. What comes
    /// compressed is decompressed in any case.
    #[must_use]
    pub fn gzip(mut self, asked: bool) -> Self {
        self.gzip = asked;
        self
    }

    /// Through what requests go. Default: what the environment says.
    #[must_use]
    pub fn proxy(mut self, proxy: HttpProxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Trusts these certificates too, one or several in the form of PEM, beside the system's.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<String>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// When a request is sent again. Default: [`RetryPolicy::new`]. Requests that must not happen twice (`POST`) are sent
    /// again only where the server has surely not acted.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How many requests a host gets. Default: [`HostLimits::new`]. Sessions of a process with the same limits share them.
    #[must_use]
    pub fn limits(mut self, limits: HostLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether every option is within its range.
    ///
    /// # Errors
    /// [`OutOfRange`] with the option's name, and never a header's value.
    pub fn check(&self) -> Result<(), OutOfRange> {
        for (option, time) in [
            ("http.connect_timeout", self.connect_timeout),
            ("http.read_timeout", self.read_timeout),
        ] {
            if time < Duration::from_millis(1) {
                let problem = format!("is {time:?}; it has to be at least 1 ms");
                return Err(OutOfRange::new(option, problem));
            }
        }
        if self.redirects > MAX_REDIRECTS {
            let problem = format!("is {}; it can be at most {MAX_REDIRECTS}", self.redirects);
            return Err(OutOfRange::new("http.redirects", problem));
        }
        self.header_map()?;
        self.agent()?;
        self.retry.check()?;
        self.limits.check()
    }

    /// The headers of every request.
    pub(super) fn header_map(&self) -> Result<HeaderMap, OutOfRange> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let Some((name, value)) = read_header(name, value.reveal()) else {
                let problem = format!("has `{name}`, whose name or value is none of HTTP");
                return Err(OutOfRange::new("http.header", problem));
            };
            map.insert(name, value);
        }
        Ok(map)
    }

    /// The header that goes to everybody.
    pub(super) fn agent(&self) -> Result<HeaderValue, OutOfRange> {
        let value = self.user_agent.parse();
        value.map_err(|_| OutOfRange::new("http.user_agent", "is no value of a header"))
    }

    pub(super) fn transport(&self) -> TransportOptions {
        TransportOptions {
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            proxy: match &self.proxy {
                HttpProxy::Environment => TransportProxy::Environment,
                HttpProxy::Direct => TransportProxy::Direct,
                HttpProxy::Through(url) => TransportProxy::Through(url.clone()),
            },
            root_certificates: self.root_certificates.clone(),
        }
    }
}

/// A header whose value is shown nowhere; `None` if it is none.
pub(super) fn read_header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name: HeaderName = name.parse().ok()?;
    let mut value: HeaderValue = value.parse().ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("user_agent", &self.user_agent)
            .field("headers", &self.headers)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("redirects", &self.redirects)
            .field("body_limit_bytes", &self.body_limit_bytes)
            .field("gzip", &self.gzip)
            .field("proxy", &self.proxy)
            .field("root_certificates", &self.root_certificates.len())
            .field("retry", &self.retry)
            .field("limits", &self.limits)
            .finish()
    }
}
