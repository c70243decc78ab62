//! A request, before it is sent.

use std::{fmt, path::Path, sync::Arc};

use bytes::Bytes;
use reqwest::{
    Method, Url,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue},
};

use super::{
    config::read_header,
    display_url::shown_text,
    download::{DownloadOptions, Downloaded, download},
    error::{HttpError, HttpErrorKind},
    exchange::Exchange,
    redirect::Hop,
    response::{BodyStream, HttpResponse},
    session_parts::SessionParts,
    transfer::{BodyProgress, BodyTransfer, OnProgress, TransferOptions},
};
use crate::retry::RetryPolicy;

/// A request of a session, sent by one of [`send`](Self::send), [`bytes`](Self::bytes), [`stream`](Self::stream) and
/// [`download`](Self::download).
///
/// Dropped, each of these ends the request at once: nothing of it goes on.
#[must_use = "nothing is sent before it is asked for"]
pub struct HttpRequest {
    session: Arc<SessionParts>,
    hop: Result<Hop, HttpError>,
    policy: RetryPolicy,
    limit_bytes: Option<u64>,
    any_status: bool,
    on_progress: Option<OnProgress>,
    refuses_empty: bool,
    syncs: bool,
}

impl HttpRequest {
    pub(super) fn new(session: &Arc<SessionParts>, method: Method, url: &str) -> Self {
        let policy = session.config.retry.clone();
        let policy = match method == Method::POST {
            true => policy.only_unambiguous(),
            false => policy,
        };
        let headers = session.headers.clone();
        let hop = read_url(url).map(|url| Hop {
            method,
            url,
            headers,
            body: None,
        });
        Self {
            session: session.clone(),
            hop,
            policy,
            limit_bytes: None,
            any_status: false,
            on_progress: None,
            refuses_empty: false,
            syncs: true,
        }
    }

    pub(super) fn body(mut self, body: Bytes) -> Self {
        if let Ok(hop) = &mut self.hop {
            hop.body = Some(body);
        }
        self
    }

    /// A header, in place of the session's of that name. A redirect to another origin does not take it along, unless it says
    /// nothing about who asks.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(hop) = &mut self.hop {
            match read_header(name, value) {
                Some((name, value)) => drop(hop.headers.insert(name, value)),
                None => {
                    let url = super::display_url::shown(&hop.url);
                    let name = shown_text(name);
                    self.hop = Err(HttpError::new(&url, HttpErrorKind::Header { name }));
                }
            }
        }
        self
    }

    /// When this request is sent again, in place of the session's policy. It holds as it is, for a `POST` too.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The most bytes of the body, once it is decompressed; more are [`HttpErrorKind::TooLarge`]. Default:
    /// [`HttpConfig::body_limit_bytes`](super::HttpConfig::body_limit_bytes) for [`bytes`](Self::bytes), none for streams
    /// and downloads.
    pub fn body_limit_bytes(mut self, most: u64) -> Self {
        self.limit_bytes = Some(most);
        self
    }

    /// Takes every status for an answer: none is an error, and none is tried again.
    pub fn any_status(mut self) -> Self {
        self.any_status = true;
        self
    }

    /// Calls this with each piece of the body that comes, on the task that reads it.
    pub fn on_progress(mut self, call: impl FnMut(BodyProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }

    /// Takes an empty body of a download for an error, as the seed does. Default: it makes an empty file.
    pub fn refuse_empty(mut self) -> Self {
        self.refuses_empty = true;
        self
    }

    /// Whether a download is on the disk, and not only in the system's memory, before its file gets its name. Default yes:
    /// otherwise half of it may stand under its name after the machine has lost its power.
    pub fn sync(mut self, syncs: bool) -> Self {
        self.syncs = syncs;
        self
    }

    /// Sends it, and returns the answer before its body.
    ///
    /// # Errors
    /// [`HttpError`], also for a status that is no success.
    pub async fn send(self) -> Result<HttpResponse, HttpError> {
        let config_limit = self.session.config.body_limit_bytes;
        let limit = self.limit_bytes.unwrap_or(config_limit);
        let has_limit = self.limit_bytes.is_some();
        let transfer = self.open(limit, false, true).await?;
        Ok(HttpResponse::new(transfer, has_limit))
    }

    /// Sends it, and returns the answer's body, decompressed. A body that breaks off is tried again, or resumed.
    ///
    /// # Errors
    /// [`HttpError`], also for a status that is no success, and for a body over its limit.
    pub async fn bytes(self) -> Result<Bytes, HttpError> {
        self.send().await?.bytes().await
    }

    /// Sends it, and returns the answer's body piece by piece, decompressed, of whatever length. What breaks off is resumed
    /// where the server can do that.
    ///
    /// # Errors
    /// [`HttpError`], until the body begins; after that, in the stream.
    pub async fn stream(self) -> Result<BodyStream, HttpError> {
        Ok(self.send().await?.stream())
    }

    /// Sends it, and writes the answer's body, decompressed, to a file. What breaks off is resumed, or begun anew.
    ///
    /// The file gets its name when all of it is there, and takes the place of what had that name: nobody ever sees a part
    /// of it. Until then it is `.NAME.part` in the same folder; a process that is killed leaves that behind, and the next
    /// download to the same file takes it over. The folder has to be there.
    ///
    /// # Errors
    /// [`HttpError`]. There is no new file then, and what stood under its name stands there still.
    pub async fn download(self, path: impl AsRef<Path>) -> Result<Downloaded, HttpError> {
        let url = self.shown()?;
        let way = DownloadOptions {
            refuses_empty: self.refuses_empty,
            syncs: self.syncs,
        };
        let limit = self.limit_bytes.unwrap_or(u64::MAX);
        let opened = self.open(limit, true, false);
        download(opened, &url, path.as_ref(), way).await
    }

    /// Where it goes, as it may be shown; an error if it can't go anywhere.
    fn shown(&self) -> Result<String, HttpError> {
        let hop = self.hop.as_ref().map_err(Clone::clone)?;
        Ok(super::display_url::shown(&hop.url))
    }

    async fn open(
        self,
        limit_bytes: u64,
        may_restart: bool,
        may_gzip: bool,
    ) -> Result<BodyTransfer, HttpError> {
        let mut hop = self.hop?;
        let shared = self.session;
        let gzip = may_gzip && shared.config.gzip;
        default_header(
            &mut hop.headers,
            ACCEPT_ENCODING,
            if gzip { "gzip" } else { "identity" },
        );
        let mut exchange = Exchange::new(shared, hop, self.policy);
        exchange.any_status = self.any_status;
        let on_progress = self.on_progress;
        let options = TransferOptions {
            limit_bytes,
            may_restart,
            is_long: true,
            on_progress,
        };
        BodyTransfer::open(exchange, options).await
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hop = self.hop.as_ref();
        f.debug_struct("HttpRequest")
            .field("method", &hop.map(|hop| &hop.method))
            .field("url", &self.shown())
            .finish_non_exhaustive()
    }
}

fn default_header(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert(HeaderValue::from_static(value));
}

fn read_url(text: &str) -> Result<Url, HttpError> {
    let refused =
        |problem: String| HttpError::new(&shown_text(text), HttpErrorKind::Address { problem });
    let url: Url = text.parse().map_err(|error| refused(format!("{error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(refused(format!("`{other}` is not `http` or `https`"))),
    }
}
