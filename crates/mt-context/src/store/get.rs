//! Getting objects.

use std::path::Path;

use bytes::{Bytes, BytesMut};

use super::{
    Store,
    address::ObjectUrl,
    error::{Operation, StoreError, StoreErrorKind},
    info::ObjectInfo,
    reader::ObjectReader,
};
use crate::{
    partial_file::{PartialError, PartialFile},
    retry::FailureClass,
};

/// The most room that is made for a body before it comes, whatever its length is said to be.
const MOST_ROOM_AHEAD: u64 = 1 << 30;

impl Store {
    /// An object's whole body, in memory. For what may be large there are [`read_object`](Self::read_object) and
    /// [`get_object_to_file`](Self::get_object_to_file).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_object(&self, url: &str) -> Result<Bytes, StoreError> {
        let mut reader = self.read_object(url).await?;
        let Some(first) = reader.next_piece().await? else {
            return Ok(Bytes::new());
        };
        let size = reader.info().size_bytes;
        if first.len() as u64 == size {
            reader.next_piece().await?;
            return Ok(first);
        }
        let room = usize::try_from(size.min(MOST_ROOM_AHEAD)).unwrap_or_default();
        let mut body = BytesMut::with_capacity(room);
        body.extend_from_slice(&first);
        while let Some(piece) = reader.next_piece().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// An object's body, piece by piece: memory for a few pieces, whatever its size.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_object(&self, url: &str) -> Result<ObjectReader, StoreError> {
        let place = ObjectUrl::parse(url)?;
        let store = self.bucket(Operation::Get, &place)?.store;
        let progress = self.progress(Operation::Get, &place);
        let policy = self.shared.config.retry.clone();
        ObjectReader::open(store, &place, policy, progress).await
    }

    /// An object's body into a file, whose folder is there. The file has its name once it is whole and on the disk (see
    /// [`sync`](super::StoreConfig::sync)), in place of what had it before; until then it is `.NAME.part`, locked. What
    /// a process that was killed has left of that the next one takes over.
    ///
    /// # Errors
    /// [`StoreError`]; [`File`](super::StoreErrorKind::File) or [`Busy`](super::StoreErrorKind::Busy) with the file's
    /// path if that is what fails.
    pub async fn get_object_to_file(
        &self,
        url: &str,
        path: impl AsRef<Path>,
    ) -> Result<ObjectInfo, StoreError> {
        let path = path.as_ref();
        let at_file = |error| StoreError::of_file(Operation::Get, path, &error);
        let mut file = PartialFile::create(path)
            .await
            .map_err(|error| match error {
                PartialError::Io(error) => at_file(error),
                PartialError::Busy => {
                    let kind = StoreErrorKind::Busy;
                    let problem = "another one writes it already";
                    let path = path.display().to_string();
                    let error = StoreError::new(Operation::Get, path, kind, problem);
                    error.of_class(FailureClass::Connect)
                }
            })?;
        let mut reader = self.read_object(url).await?;
        while let Some(piece) = reader.next_piece().await? {
            file.write(&piece).await.map_err(at_file)?;
        }
        file.finish(self.shared.config.sync)
            .await
            .map_err(at_file)?;
        Ok(reader.info().clone())
    }
}
