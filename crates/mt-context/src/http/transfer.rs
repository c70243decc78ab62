//! A body on its way: read piece by piece, decompressed, and resumed where it breaks off.

use std::{fmt, time::Instant};

use bytes::Bytes;
use reqwest::{StatusCode, header::HeaderMap};

use super::{
    error::{HttpError, HttpErrorKind},
    exchange::{Answer, Exchange},
    version::{UnknownEncoding, Version},
};
use crate::retry::now;

/// So much more of a body than ever before has to come before attempts and time count anew: a server that sends a byte for
/// each attempt, or the same beginning each time, gets no more of them.
const PROGRESS_BYTES: u64 = 64 * 1024;

/// How far a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyProgress {
    /// How many bytes have come, as they were sent. Less than before if all of it comes anew.
    pub received_bytes: u64,
    /// How many there are, if the server says so.
    pub total_bytes: Option<u64>,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

/// Told of how far a body is.
pub(super) type OnProgress = Box<dyn FnMut(BodyProgress) + Send>;

/// What comes next of a body.
pub(super) enum Step {
    /// A piece.
    Piece(Bytes),
    /// All of it comes anew: what was there before is void.
    Restarted,
    /// Nothing.
    End,
}

/// How a body is read.
pub(super) struct TransferOptions {
    /// The most bytes, decompressed.
    pub(super) limit_bytes: u64,
    /// Whether the reader can forget what it has.
    pub(super) may_restart: bool,
    /// Whether time and attempts count from the last progress.
    pub(super) is_long: bool,
    pub(super) on_progress: Option<OnProgress>,
}

/// A body on its way.
pub(super) struct BodyTransfer {
    exchange: Exchange,
    options: TransferOptions,
    /// What is read from; `None` between two attempts.
    answer: Option<Answer>,
    version: Version,
    status: StatusCode,
    headers: HeaderMap,
    received_bytes: u64,
    given_bytes: u64,
    /// How much had come when attempts and time began anew.
    progress_bytes: u64,
    /// Since when nobody has asked for the next piece.
    left_at: Instant,
    is_over: bool,
}

impl BodyTransfer {
    /// The first answer to a request, whose body is still to be read.
    pub(super) async fn open(
        mut exchange: Exchange,
        options: TransferOptions,
    ) -> Result<Self, HttpError> {
        let answer = exchange.answer(&HeaderMap::new()).await?;
        // What follows is no answer for the caller, but a part of this one's body.
        exchange.any_status = false;
        let version = version_of(&answer, &exchange)?;
        Ok(Self {
            status: answer.response.status(),
            headers: answer.response.headers().clone(),
            answer: Some(answer),
            version,
            exchange,
            options,
            received_bytes: 0,
            given_bytes: 0,
            progress_bytes: 0,
            left_at: now(),
            is_over: false,
        })
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn exchange(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// Reads it in another way from here on. Nothing of it has been read.
    pub(super) fn options(&mut self) -> &mut TransferOptions {
        &mut self.options
    }

    /// How many bytes are said to come, as they are sent.
    pub(super) fn total_bytes(&self) -> Option<u64> {
        self.version.total_bytes
    }

    /// The next piece. Cancel-safe: what has come is kept.
    pub(super) async fn next(&mut self) -> Result<Step, HttpError> {
        let away = now().saturating_duration_since(self.left_at);
        self.exchange.schedule().on_waited(away);
        let step = self.step().await;
        self.is_over |= step.is_err();
        self.left_at = now();
        step
    }

    async fn step(&mut self) -> Result<Step, HttpError> {
        loop {
            if let Some(piece) = self.decompressed()? {
                return self.give(piece);
            }
            if self.is_over {
                return Ok(Step::End);
            }
            let Some(answer) = &mut self.answer else {
                match self.reopen().await? {
                    true => return Ok(Step::Restarted),
                    false => continue,
                }
            };
            match self.exchange.in_time(answer.response.chunk()).await? {
                Ok(Some(piece)) => {
                    if let Some(piece) = self.received(piece).await? {
                        return self.give(piece);
                    }
                }
                Ok(None) => {
                    if let Some(piece) = self.ended().await? {
                        return self.give(piece);
                    }
                }
                Err(error) => {
                    let error = self
                        .exchange
                        .broken(error, &answer.url, self.received_bytes);
                    self.broke(error).await?;
                }
            }
        }
    }

    /// A piece has come: itself, unless it is compressed.
    async fn received(&mut self, piece: Bytes) -> Result<Option<Bytes>, HttpError> {
        let bytes = piece.len() as u64;
        self.received_bytes = self.received_bytes.saturating_add(bytes);
        if let Some(expected_bytes) = self.version.total_bytes
            && self.received_bytes > expected_bytes
        {
            // Nothing of it can be trusted, and so not be continued.
            self.version.forget();
            self.broke(self.length(expected_bytes)).await?;
            return Ok(None);
        }
        if self.options.is_long
            && self.received_bytes.saturating_sub(self.progress_bytes) >= PROGRESS_BYTES
        {
            self.progress_bytes = self.received_bytes;
            self.exchange.schedule().on_progress(now());
        }
        self.tell();
        match &mut self.version.gunzip {
            None => Ok(Some(piece)),
            Some(gunzip) => {
                gunzip.push(piece);
                Ok(None)
            }
        }
    }

    /// Nothing more comes: whether it is all, and the last piece of what was compressed.
    async fn ended(&mut self) -> Result<Option<Bytes>, HttpError> {
        if let Some(expected_bytes) = self.version.total_bytes
            && self.received_bytes != expected_bytes
        {
            self.broke(self.length(expected_bytes)).await?;
            return Ok(None);
        }
        self.answer = None;
        self.is_over = true;
        match &mut self.version.gunzip {
            // Of an answer without a body there is nothing to decompress.
            Some(gunzip) if self.received_bytes > 0 => {
                gunzip.end().map_err(|error| self.encoding(error))
            }
            _ => Ok(None),
        }
    }

    /// The body broke off: waits until the next attempt, if there is one.
    async fn broke(&mut self, error: HttpError) -> Result<(), HttpError> {
        self.answer = None;
        if self.received_bytes > 0 && !self.options.may_restart && !self.version.can_resume() {
            return Err(self.exchange.final_error(error.kind().clone()));
        }
        self.exchange.failed(error).await
    }

    /// The answer from which it goes on. Returns whether all of it comes anew.
    async fn reopen(&mut self) -> Result<bool, HttpError> {
        loop {
            let received_bytes = self.received_bytes;
            let resumed = received_bytes > 0 && self.version.can_resume();
            let extra = match resumed {
                true => self.version.range(received_bytes),
                false => HeaderMap::new(),
            };
            let answer = match self.exchange.answer(&extra).await {
                Ok(answer) => answer,
                // It has become shorter than what has come of it.
                Err(error) if resumed && error.status() == Some(416) => {
                    self.forget_version()?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let is_part = answer.response.status() == StatusCode::PARTIAL_CONTENT;
            match (resumed, is_part) {
                (true, true)
                    if self
                        .version
                        .is_continued(received_bytes, answer.response.headers()) =>
                {
                    self.answer = Some(answer);
                    return Ok(false);
                }
                // A part that is not what was asked for.
                (true, true) => self.forget_version()?,
                _ => return self.restart(answer),
            }
        }
    }

    /// What has come is not continued.
    fn forget_version(&mut self) -> Result<(), HttpError> {
        self.version.forget();
        match self.options.may_restart {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    /// All of it comes anew. Returns whether something had come before.
    fn restart(&mut self, answer: Answer) -> Result<bool, HttpError> {
        let had_some = self.received_bytes > 0;
        if had_some && !self.options.may_restart {
            return Err(self.changed());
        }
        self.version = version_of(&answer, &self.exchange)?;
        self.status = answer.response.status();
        self.headers = answer.response.headers().clone();
        self.answer = Some(answer);
        (self.received_bytes, self.given_bytes) = (0, 0);
        Ok(had_some)
    }

    fn decompressed(&mut self) -> Result<Option<Bytes>, HttpError> {
        match &mut self.version.gunzip {
            Some(gunzip) => gunzip.pop().map_err(|error| self.encoding(error)),
            None => Ok(None),
        }
    }

    fn give(&mut self, piece: Bytes) -> Result<Step, HttpError> {
        self.given_bytes = self.given_bytes.saturating_add(piece.len() as u64);
        self.check_limit(self.given_bytes)?;
        Ok(Step::Piece(piece))
    }

    /// Whether a body of the length that is said is within its limit, before any of it is read.
    pub(super) fn check_announced(&self) -> Result<(), HttpError> {
        match self.version.total_bytes {
            Some(total) if self.version.gunzip.is_none() => self.check_limit(total),
            _ => Ok(()),
        }
    }

    /// Whether a body of so many bytes is within its limit.
    fn check_limit(&self, bytes: u64) -> Result<(), HttpError> {
        let limit_bytes = self.options.limit_bytes;
        match bytes > limit_bytes {
            true => Err(self
                .exchange
                .final_error(HttpErrorKind::TooLarge { limit_bytes })),
            false => Ok(()),
        }
    }

    fn tell(&mut self) {
        let attempt = self.exchange.schedule().attempt();
        if let Some(on_progress) = &mut self.options.on_progress {
            on_progress(BodyProgress {
                received_bytes: self.received_bytes,
                total_bytes: self.version.total_bytes,
                attempt,
            });
        }
    }

    fn length(&self, expected_bytes: u64) -> HttpError {
        let received_bytes = self.received_bytes;
        self.exchange.error(HttpErrorKind::Length {
            expected_bytes,
            received_bytes,
        })
    }

    fn changed(&self) -> HttpError {
        let received_bytes = self.received_bytes;
        self.exchange
            .final_error(HttpErrorKind::Changed { received_bytes })
    }

    fn encoding(&self, problem: std::io::Error) -> HttpError {
        let problem = problem.to_string();
        self.exchange
            .final_error(HttpErrorKind::Encoding { problem })
    }
}

impl fmt::Debug for BodyTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyTransfer")
            .field("url", &self.exchange.shown())
            .field("status", &self.status)
            .field("received_bytes", &self.received_bytes)
            .finish_non_exhaustive()
    }
}

fn version_of(answer: &Answer, exchange: &Exchange) -> Result<Version, HttpError> {
    let (status, headers) = (answer.response.status(), answer.response.headers());
    let is_part = status == StatusCode::PARTIAL_CONTENT;
    Version::of(exchange.method(), headers, is_part).map_err(|UnknownEncoding| {
        let problem = "it is compressed in another way than gzip".to_owned();
        exchange.final_error(HttpErrorKind::Encoding { problem })
    })
}
