//! The attempts of one request, each with its redirects, until there is an answer.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{
    Response, Url,
    header::{HeaderMap, LOCATION, RETRY_AFTER, USER_AGENT},
};
use tokio::time::{sleep, timeout};

use super::{
    display_url::{origin, shown},
    error::{HttpError, HttpErrorKind},
    failure,
    redirect::Hop,
    session_parts::SessionParts,
};
use crate::{
    limits::Admission,
    retry::{
        FailureClass, GiveUpReason, RetryDecision, RetryError, RetryPolicy, RetrySchedule, before,
        now, parse_retry_after,
    },
};

/// Of an answer that nobody reads, so much is read so that its connection can be used again, and for so long.
const DRAINED_BYTES: u64 = 16 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// The attempts of one request.
pub(super) struct Exchange {
    session: Arc<SessionParts>,
    hop: Hop,
    shown: String,
    policy: RetryPolicy,
    schedule: RetrySchedule,
    /// Whether every status is an answer.
    pub(super) any_status: bool,
}

/// An answer whose body is to be read, and the right to read it.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) url: Url,
    _admission: Admission,
}

impl Exchange {
    pub(super) fn new(session: Arc<SessionParts>, hop: Hop, policy: RetryPolicy) -> Self {
        Self {
            session,
            shown: shown(&hop.url),
            hop,
            schedule: RetrySchedule::new(&policy, now()),
            policy,
            any_status: false,
        }
    }

    /// Attempts until there is an answer. What the answer is asked for by, beside the request's own headers, is `extra`.
    pub(super) async fn answer(&mut self, extra: &HeaderMap) -> Result<Answer, HttpError> {
        loop {
            match self.attempt(extra).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.failed(error).await?,
            }
        }
    }

    /// An attempt has failed: waits until the next.
    ///
    /// # Errors
    /// There is none: the error is final.
    pub(super) async fn failed(&mut self, error: HttpError) -> Result<(), HttpError> {
        let (attempt, class) = (self.schedule.attempt(), error.class());
        let next = self
            .schedule
            .on_failure(class, error.retry_after(), now(), rand::random());
        match next {
            RetryDecision::Wait(pause) => {
                tracing::debug!(attempt, %error, ?pause, "an attempt failed");
                sleep(pause).await;
                Ok(())
            }
            RetryDecision::GiveUp(reason) => Err(error.final_after(attempt, reason)),
        }
    }

    /// A future of this attempt's, as long as there is time.
    ///
    /// # Errors
    /// There was not enough.
    pub(super) async fn in_time<F: Future>(&self, future: F) -> Result<F::Output, HttpError> {
        let done = before(self.schedule.deadline(), future).await;
        done.ok_or_else(|| {
            let total = self.policy.total_time().unwrap_or_default();
            let error = self.error(HttpErrorKind::Total { total });
            error.final_after(self.schedule.attempt(), GiveUpReason::Total)
        })
    }

    /// An error of this request's.
    pub(super) fn error(&self, kind: HttpErrorKind) -> HttpError {
        HttpError::new(&self.shown, kind)
    }

    /// The same, and final without a decision.
    pub(super) fn final_error(&self, kind: HttpErrorKind) -> HttpError {
        let attempt = self.schedule.attempt();
        self.error(kind)
            .final_after(attempt, GiveUpReason::NotWorthIt)
    }

    /// What the error means of a client that was reading an answer's body.
    pub(super) fn broken(
        &self,
        error: reqwest::Error,
        url: &Url,
        received_bytes: u64,
    ) -> HttpError {
        failure::of_client(error, &self.shown, url, received_bytes)
    }

    pub(super) fn schedule(&mut self) -> &mut RetrySchedule {
        &mut self.schedule
    }

    /// The URL as it may be shown.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn method(&self) -> &reqwest::Method {
        &self.hop.method
    }

    async fn attempt(&mut self, extra: &HeaderMap) -> Result<Answer, HttpError> {
        let limit = self.session.config.redirects;
        let mut hop = self.hop.clone();
        hop.headers.extend(extra.clone());
        for _ in 0..=limit {
            let asked = now();
            let admission = self.session.limiter.admit(&origin(&hop.url)).await;
            self.schedule
                .on_waited(now().saturating_duration_since(asked));
            let response = self.in_time(self.send(&hop)).await??;
            match next_hop(&hop, &response).filter(|_| limit > 0) {
                Some(next) => {
                    drain(response).await;
                    hop = next;
                }
                None => return self.judge(response, admission, hop.url).await,
            }
        }
        Err(self.error(HttpErrorKind::Redirects { limit }))
    }

    async fn send(&self, hop: &Hop) -> Result<Response, HttpError> {
        let mut request = self
            .session
            .client
            .request(hop.method.clone(), hop.url.clone());
        request = request.headers(hop.headers.clone());
        request = request.header(USER_AGENT, self.session.agent.clone());
        if let Some(body) = &hop.body {
            request = request.body(body.clone());
        }
        let sent = request.send().await;
        sent.map_err(|error| self.broken(error, &hop.url, 0))
    }

    /// Whether an answer is one.
    async fn judge(
        &self,
        response: Response,
        admission: Admission,
        url: Url,
    ) -> Result<Answer, HttpError> {
        let status = response.status();
        if status.is_success() || self.any_status {
            let _admission = admission;
            return Ok(Answer {
                response,
                url,
                _admission,
            });
        }
        let status = status.as_u16();
        let asked = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|value| parse_retry_after(value, SystemTime::now()));
        let is_throttled = FailureClass::of_status(status) == FailureClass::Throttled;
        let granted = self
            .policy
            .heeded(asked)
            .filter(|asked| *asked <= self.policy.longest_wait());
        if let Some(time) = granted.filter(|_| is_throttled) {
            self.session.limiter.hold_back(&origin(&url), time);
        }
        drain(response).await;
        Err(self.error(HttpErrorKind::Status { status }).asking(asked))
    }
}

fn next_hop(hop: &Hop, response: &Response) -> Option<Hop> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    hop.redirected(response.status().as_u16(), location)
}

/// Reads what is left of an answer, if it is little.
async fn drain(response: Response) {
    if response
        .content_length()
        .is_some_and(|length| length <= DRAINED_BYTES)
    {
        let _ = timeout(DRAIN_TIME, response.bytes()).await;
    }
}
