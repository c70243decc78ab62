//! Requests to a server, with our retries: below the library, which hears of the last attempt alone.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http_body::{Body, Frame, SizeHint};
use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};

use super::failure::Failure;
use crate::{
    limits::{Admission, HostLimiter},
    retry::{FailureClass, RetryError, RetryPolicy, parse_retry_after, retry},
};

/// How much of a refusal is read: its code stands at the beginning.
const MAX_REFUSAL_BYTES: usize = 16 * 1024;
/// The most that the answer to a `POST` has: a few names.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A client that sends requests as often as a policy says, and as many at once as a host's limits.
pub(super) struct Wire {
    below: HttpClient,
    policy: RetryPolicy,
    /// The policy for what must not happen twice.
    once: RetryPolicy,
    limiter: HostLimiter,
}

impl Wire {
    pub(super) fn new(below: HttpClient, policy: RetryPolicy, limiter: HostLimiter) -> Self {
        let once = policy.clone().only_unambiguous();
        Self {
            below,
            policy,
            once,
            limiter,
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let policy = if happens_once(&request) {
            &self.once
        } else {
            &self.policy
        };
        let answered = retry(policy, |_| self.attempt(request.clone())).await;
        answered.map_err(|gave_up| {
            let failure = gave_up.last.unwrap_or_else(|| {
                let problem = "the time for it was over".to_owned();
                Failure::of_connection(FailureClass::Timeout, problem)
            });
            // Of a kind that the library does nothing about.
            HttpError::new(HttpErrorKind::Unknown, failure.after(gave_up.attempts))
        })
    }

    async fn attempt(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let is_post = request.method().as_str() == "POST";
        let host = request.uri().authority().map(ToString::to_string);
        let host = host.unwrap_or_default();
        let admission = self.limiter.admit(&host).await;
        let response = self.below.execute(request).await;
        let response = response.map_err(|error| Failure::of_transport(&error))?;
        let status = response.status();
        if !status.is_success() {
            let asked = retry_after(&response);
            let body = beginning(response.into_body(), MAX_REFUSAL_BYTES).await?;
            let body = String::from_utf8_lossy(&body);
            let failure = Failure::of_status(status.as_u16(), &body, asked);
            self.hold_back(&host, &failure);
            return Err(failure);
        }
        if !is_post {
            let (parts, body) = response.into_parts();
            let body = AdmittedBody {
                body,
                _admission: admission,
            };
            return Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)));
        }
        // What takes a while is answered at once with 200, and with an error when it has failed.
        let (parts, body) = response.into_parts();
        let body = beginning(body, MAX_ANSWER_BYTES).await?;
        let text = String::from_utf8_lossy(&body);
        if text.contains("<Error>") {
            return Err(Failure::of_status(status.as_u16(), &text, None));
        }
        Ok(HttpResponse::from_parts(parts, body.into()))
    }

    /// A host that has asked to be left alone is, by all requests, unless it asks for longer than the policy grants.
    fn hold_back(&self, host: &str, failure: &Failure) {
        let heeded = self.policy.heeded(failure.retry_after());
        let granted = heeded.filter(|asked| *asked <= self.policy.longest_wait());
        if let Some(time) = granted.filter(|_| failure.class == FailureClass::Throttled) {
            self.limiter.hold_back(host, time);
        }
    }
}

/// An answer's body, whose request counts at its host up to the last byte.
struct AdmittedBody {
    body: HttpResponseBody,
    _admission: Admission,
}

impl Body for AdmittedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl HttpService for Wire {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.send(request))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Whether a request that was acted on fails when it comes again: a conditional put, and what completes an upload.
fn happens_once(request: &HttpRequest) -> bool {
    let headers = request.headers();
    match request.method().as_str() {
        "PUT" => headers.contains_key("if-none-match") || headers.contains_key("if-match"),
        "POST" => request
            .uri()
            .query()
            .is_some_and(|query| query.contains("uploadId=")),
        _ => false,
    }
}

fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let value = response.headers().get("retry-after")?;
    parse_retry_after(value.to_str().ok()?, SystemTime::now())
}

/// The first bytes of a body.
async fn beginning(body: HttpResponseBody, most: usize) -> Result<Bytes, Failure> {
    let mut pieces = body.bytes_stream();
    let mut beginning = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Failure::of_transport(&error))?;
        beginning.extend_from_slice(&piece[..piece.len().min(most - beginning.len())]);
        if beginning.len() == most {
            break;
        }
    }
    Ok(beginning.freeze())
}
