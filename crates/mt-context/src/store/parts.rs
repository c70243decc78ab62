//! One object in parts that go at once, and are nothing until all are there.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{MultipartUpload, PutMultipartOptions};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use super::{
    Store,
    address::ObjectUrl,
    error::{Operation, StoreError},
    progress::Progress,
};

/// The most parts that S3 takes of an object.
const MAX_PARTS: u64 = 10_000;
/// After so many parts of a body whose end is not known, parts are twice as large.
const PARTS_OF_A_SIZE: u64 = 1000;

/// How long the part after so many others is.
pub(super) fn part_bytes(usual: u64, total: Option<u64>, before: u64) -> u64 {
    match total {
        Some(total) => usual.max(total.div_ceil(MAX_PARTS)),
        None => usual << (before / PARTS_OF_A_SIZE).min(9),
    }
}

/// An object that is being put. Dropped, it is not put; what has gone of it stays with the server as an upload that was
/// not completed.
pub(super) struct Parts {
    url: String,
    upload: Box<dyn MultipartUpload>,
    going: JoinSet<(u64, object_store::Result<()>)>,
    room: Arc<Semaphore>,
    count: u64,
    progress: Progress,
}

impl Parts {
    pub(super) async fn begin(
        store: &Store,
        url: &str,
        total: Option<u64>,
    ) -> Result<Self, StoreError> {
        let place = ObjectUrl::parse(url)?;
        let path = place.path(Operation::Put)?;
        let below = store.bucket(Operation::Put, &place)?.store;
        let upload = below
            .put_multipart_opts(&path, PutMultipartOptions::default())
            .await;
        let upload = upload.map_err(|error| StoreError::of(Operation::Put, url, &error))?;
        let mut progress = store.progress(Operation::Put, &place);
        if let Some(total) = total {
            progress.total(total);
        }
        Ok(Self {
            url: url.to_owned(),
            upload,
            going: JoinSet::new(),
            room: store.shared.parts.clone(),
            count: 0,
            progress,
        })
    }

    /// How many parts have been put or are going.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Waits for room for the next part.
    ///
    /// # Errors
    /// The error of a part that has failed. Nothing is put then.
    pub(super) async fn room(&mut self) -> Result<OwnedSemaphorePermit, StoreError> {
        let room = self.room.clone().acquire_owned().await;
        while let Some(ended) = self.going.try_join_next() {
            if let Err(error) = self.account(ended) {
                return Err(self.abort(error).await);
            }
        }
        Ok(room.expect("the semaphore is never closed"))
    }

    /// Sends a part, in a task of its own, that keeps its room until it is done.
    pub(super) fn put(&mut self, body: Bytes, room: OwnedSemaphorePermit) {
        self.count += 1;
        let bytes = body.len() as u64;
        let part = self.upload.put_part(body.into());
        self.going.spawn(async move {
            let put = part.await;
            drop(room);
            (bytes, put)
        });
    }

    /// Makes an object of the parts, once all are there. Returns its etag.
    pub(super) async fn complete(mut self) -> Result<Option<String>, StoreError> {
        while let Some(ended) = self.going.join_next().await {
            if let Err(error) = self.account(ended) {
                return Err(self.abort(error).await);
            }
        }
        match self.upload.complete().await {
            Ok(result) => {
                self.progress.add_object();
                Ok(result.e_tag)
            }
            Err(error) => {
                let error = StoreError::of(Operation::Put, &self.url, &error);
                // It may be complete: then there is no upload any more to abort.
                Err(if error.is_ambiguous() {
                    error
                } else {
                    self.abort(error).await
                })
            }
        }
    }

    /// Gives up, for this error.
    pub(super) async fn abort(&mut self, error: StoreError) -> StoreError {
        self.going.shutdown().await;
        if let Err(problem) = self.upload.abort().await {
            let problem = StoreError::of(Operation::Put, &self.url, &problem);
            tracing::warn!(%problem, "an upload that failed could not be aborted: its parts stay with the server");
        }
        error
    }

    /// What became of a part.
    fn account(
        &mut self,
        ended: Result<(u64, object_store::Result<()>), tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        match ended {
            Ok((bytes, Ok(()))) => {
                self.progress.add_bytes(bytes);
                Ok(())
            }
            Ok((_, Err(error))) => Err(StoreError::of(Operation::Put, &self.url, &error)),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => unreachable!("nobody cancels a part"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PARTS, part_bytes};

    const MIB: u64 = 1 << 20;

    #[test]
    fn an_object_has_no_more_parts_than_a_server_takes() {
        assert_eq!(part_bytes(8 * MIB, Some(20 * MIB), 0), 8 * MIB);
        let tera = 5 << 40;
        assert!(part_bytes(8 * MIB, Some(tera), 0) * MAX_PARTS >= tera);
        assert_eq!(part_bytes(8 * MIB, None, 999), 8 * MIB);
        let most: u64 = (0..MAX_PARTS)
            .map(|before| part_bytes(8 * MIB, None, before))
            .sum();
        assert!(most >= tera, "{most}");
    }
}
