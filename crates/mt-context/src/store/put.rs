//! Putting objects: in one piece, or in parts that go at once.

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures::{
    Stream, StreamExt,
    stream::{self},
};
use object_store::{PutMode, PutOptions, UpdateVersion};
use tokio::{
    fs::File,
    io::{self, AsyncRead, AsyncReadExt},
    sync::SemaphorePermit,
};

use super::{
    Store,
    address::ObjectUrl,
    error::{Operation, StoreError, StoreErrorKind},
    parts::{Parts, part_bytes},
};

/// What has to be so that an object is put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Put {
    /// Nothing: what is there is replaced.
    #[default]
    Always,
    /// There is no object of that address.
    IfAbsent,
    /// The object has this [`etag`](super::ObjectInfo::etag) still.
    IfUnchanged(String),
}

impl Store {
    /// Puts an object. Returns its etag, if the store has any.
    ///
    /// A body that is longer than [`part_bytes`](super::StoreConfig::part_bytes) goes in parts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_object(
        &self,
        url: &str,
        body: impl Into<Bytes>,
    ) -> Result<Option<String>, StoreError> {
        let body = body.into();
        if body.len() as u64 <= self.shared.config.part_bytes {
            return self.put_object_if(url, body, Put::Always).await;
        }
        let total = Some(body.len() as u64);
        self.put_pieces(url, stream::iter([Ok(body)]), total).await
    }

    /// Puts an object in one piece, if something is so; the server decides, so of many who do the same at once one
    /// succeeds.
    ///
    /// A request that may have been acted on is not sent again here, for it would fail by its own success:
    /// [`StoreError::is_ambiguous`] says so, and a look at the object is what helps.
    ///
    /// # Errors
    /// [`Precondition`](StoreErrorKind::Precondition) if it is not so; other [`StoreError`]s.
    pub async fn put_object_if(
        &self,
        url: &str,
        body: impl Into<Bytes>,
        put: Put,
    ) -> Result<Option<String>, StoreError> {
        let body = body.into();
        let place = ObjectUrl::parse(url)?;
        let path = place.path(Operation::Put)?;
        let store = self.bucket(Operation::Put, &place)?.store;
        let mut progress = self.progress(Operation::Put, &place);
        let bytes = body.len() as u64;
        progress.total(bytes);
        let mode = match put {
            Put::Always => PutMode::Overwrite,
            Put::IfAbsent => PutMode::Create,
            Put::IfUnchanged(etag) => PutMode::Update(UpdateVersion {
                e_tag: Some(etag),
                version: None,
            }),
        };
        let result = store
            .put_opts(&path, body.into(), PutOptions::from(mode))
            .await;
        let result = result.map_err(|error| StoreError::of(Operation::Put, url, &error))?;
        progress.add_bytes(bytes);
        progress.add_object();
        Ok(result.e_tag)
    }

    /// Puts a file of any size, with memory for a few parts.
    ///
    /// # Errors
    /// [`StoreError`]; [`File`](StoreErrorKind::File) if the file can't be read, or ends before the size that it had.
    pub async fn put_file(
        &self,
        path: impl AsRef<Path>,
        url: &str,
    ) -> Result<Option<String>, StoreError> {
        let path = path.as_ref();
        let at_file = |error| StoreError::of_file(Operation::Put, path, &error);
        let file = File::open(path).await.map_err(at_file)?;
        let bytes = file.metadata().await.map_err(at_file)?.len();
        if bytes <= self.shared.config.part_bytes {
            let _room = self.room().await;
            let mut file = file.take(bytes);
            let body = read_part(&mut file, bytes).await.map_err(at_file)?;
            return self.put_object_if(url, body, Put::Always).await;
        }
        let mut parts = Parts::begin(self, url, Some(bytes)).await?;
        let mut file = file.take(bytes);
        let mut left = bytes;
        while left > 0 {
            let room = parts.room().await?;
            let length = part_bytes(self.shared.config.part_bytes, Some(bytes), parts.count());
            let body = match read_part(&mut file, length.min(left)).await {
                Ok(body) => body,
                Err(error) => return Err(parts.abort(at_file(error)).await),
            };
            left -= body.len() as u64;
            parts.put(body, room);
        }
        parts.complete().await
    }

    /// Puts what a stream gives, however much, with memory for a few parts. An error of the stream is
    /// [`File`](StoreErrorKind::File) with its text, and nothing is put.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_stream(
        &self,
        url: &str,
        body: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Option<String>, StoreError> {
        self.put_pieces(url, body, None).await
    }

    /// Puts files below an address: each with the key that stands beside it, behind the address as it is. As many at once
    /// as there may be parts; what became of each, in their order.
    ///
    /// ```
    /// # use mt_context::{Store, StoreError};
    /// # async fn all(store: &Store) -> Result<(), StoreError> {
    /// for (url, put) in store.put_files("s3://data/2024/", [("a.csv", "a.csv")]).await {
    ///     put.inspect_err(|error| eprintln!("{url}: {error}"))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put_files<P: Into<PathBuf>>(
        &self,
        url: &str,
        files: impl IntoIterator<Item = (P, impl AsRef<str>)>,
    ) -> Vec<(String, Result<Option<String>, StoreError>)> {
        let files = files.into_iter().map(|(path, key)| {
            let (path, url) = (path.into(), format!("{url}{}", key.as_ref()));
            async move {
                let put = self.put_file(path, &url).await;
                (url, put)
            }
        });
        let at_once = self.shared.config.parts_at_once as usize;
        stream::iter(files).buffered(at_once).collect().await
    }

    async fn put_pieces(
        &self,
        url: &str,
        body: impl Stream<Item = io::Result<Bytes>>,
        total: Option<u64>,
    ) -> Result<Option<String>, StoreError> {
        let mut body = std::pin::pin!(body);
        let mut parts = Parts::begin(self, url, total).await?;
        let mut rest = Bytes::new();
        loop {
            let room = parts.room().await?;
            let length = part_bytes(self.shared.config.part_bytes, total, parts.count());
            let mut part = BytesMut::new();
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            loop {
                let taken = rest.split_to(rest.len().min(length - part.len()));
                part.extend_from_slice(&taken);
                if part.len() == length {
                    break;
                }
                match body.next().await {
                    Some(Ok(piece)) => rest = piece,
                    Some(Err(error)) => {
                        let kind = StoreErrorKind::File;
                        let error = StoreError::new(Operation::Put, url, kind, error.to_string());
                        return Err(parts.abort(error).await);
                    }
                    None => break,
                }
            }
            let is_last = part.len() < length;
            // An object has one part at least.
            if !part.is_empty() || parts.count() == 0 {
                parts.put(part.freeze(), room);
            }
            if is_last {
                return parts.complete().await;
            }
        }
    }

    /// Room for a body that is not the caller's.
    async fn room(&self) -> SemaphorePermit<'_> {
        let room = self.shared.parts.acquire().await;
        room.expect("the semaphore is never closed")
    }
}

/// So many bytes.
async fn read_part(file: &mut (impl AsyncRead + Unpin), bytes: u64) -> io::Result<Bytes> {
    let room = usize::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut part = BytesMut::with_capacity(room);
    while part.len() < room {
        if file.read_buf(&mut part).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(part.freeze())
}
