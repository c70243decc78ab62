//! The body of an object, from beginning to end whatever happens to connections.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use object_store::{GetOptions, GetRange, ObjectStore, path::Path};
use tokio::time::Instant;

use super::{
    error::{Operation, StoreError, StoreErrorKind},
    info::ObjectInfo,
    progress::Progress,
};
use crate::retry::{FailureClass, RetryDecision, RetryPolicy, RetrySchedule};

/// The body of an object, piece by piece.
///
/// One that is cut goes on from where it was, by range, as long as the object is the same: then
/// [`Changed`](StoreErrorKind::Changed) is the error. Attempts and their time count from the last piece that came.
pub struct ObjectReader {
    store: Arc<dyn ObjectStore>,
    path: Path,
    info: ObjectInfo,
    body: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    /// Where the next piece begins.
    next: u64,
    policy: RetryPolicy,
    progress: Progress,
}

impl ObjectReader {
    pub(super) async fn open(
        store: Arc<dyn ObjectStore>,
        place: &super::ObjectUrl,
        policy: RetryPolicy,
        mut progress: Progress,
    ) -> Result<Self, StoreError> {
        let path = place.path(Operation::Get)?;
        let got = store.get_opts(&path, GetOptions::default()).await;
        let url = place.to_string();
        let got = got.map_err(|error| StoreError::of(Operation::Get, &url, &error))?;
        progress.total(got.meta.size);
        Ok(Self {
            store,
            path,
            info: ObjectInfo::of(place, got.meta.clone()),
            body: Some(got.into_stream()),
            next: 0,
            policy,
            progress,
        })
    }

    /// What is known of the object whose body it is.
    #[must_use]
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The next piece; `None` at the end, when all bytes have come. Cancel-safe.
    ///
    /// # Errors
    /// [`StoreError`]; reading on then tries again.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        let mut schedule = RetrySchedule::new(&self.policy, Instant::now().into_std());
        loop {
            let error = match self.piece().await {
                Ok(piece) => {
                    let bytes = piece.as_ref().map_or(0, |piece| piece.len() as u64);
                    self.next += bytes;
                    match bytes {
                        0 if piece.is_none() => self.progress.add_object(),
                        _ => self.progress.add_bytes(bytes),
                    }
                    return Ok(piece);
                }
                Err(error) => error,
            };
            self.body = None;
            match schedule.on_failure(error.class, None, Instant::now().into_std(), rand::random())
            {
                RetryDecision::Wait(pause) => {
                    tracing::debug!(
                        url = self.info.url,
                        at = self.next,
                        ?pause,
                        "a body was cut"
                    );
                    tokio::time::sleep(pause).await;
                }
                RetryDecision::GiveUp(_) => return Err(error),
            }
        }
    }

    /// The pieces as a stream. An error is the last that comes.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, StoreError>> {
        let pieces = stream::try_unfold(self, |mut reader| async move {
            let piece = reader.next_piece().await?;
            Ok(piece.map(|piece| (piece, reader)))
        });
        pieces.boxed()
    }

    /// The next piece of the body that is open, or of one that is opened for it.
    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.body.is_none() && self.next < self.info.size_bytes {
            self.body = Some(self.resume().await?);
        }
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        match body.next().await {
            Some(Ok(piece)) => Ok(Some(piece)),
            Some(Err(error)) => Err(self.cut(&error)),
            None if self.next < self.info.size_bytes => {
                let mut error = self.error(StoreErrorKind::Connection, "the body ended too early");
                error.class = FailureClass::Cut;
                Err(error)
            }
            None => Ok(None),
        }
    }

    /// The rest of the same body.
    async fn resume(
        &mut self,
    ) -> Result<BoxStream<'static, object_store::Result<Bytes>>, StoreError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(self.next..self.info.size_bytes)),
            if_match: self.info.etag.clone(),
            ..GetOptions::default()
        };
        let got = self.store.get_opts(&self.path, options).await;
        let got = got.map_err(|error| {
            let error = StoreError::of(Operation::Get, &self.info.url, &error);
            match error.kind {
                StoreErrorKind::Precondition => self.changed(),
                _ => error,
            }
        })?;
        // Not every server looks at the condition.
        if got.meta.e_tag != self.info.etag
            || got.meta.size != self.info.size_bytes
            || got.range.start != self.next
        {
            return Err(self.changed());
        }
        Ok(got.into_stream())
    }

    fn changed(&self) -> StoreError {
        self.error(StoreErrorKind::Changed, "it was replaced while it was read")
    }

    fn error(&self, kind: StoreErrorKind, problem: &str) -> StoreError {
        StoreError::new(Operation::Get, &*self.info.url, kind, problem)
    }

    /// The error of a body: what breaks there is the connection.
    fn cut(&self, error: &object_store::Error) -> StoreError {
        let mut error = StoreError::of(Operation::Get, &self.info.url, error);
        if error.kind == StoreErrorKind::Connection && error.class == FailureClass::Permanent {
            error.class = FailureClass::Cut;
        }
        error
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader")
            .field("info", &self.info)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
