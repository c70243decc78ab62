//! What there is: listings, one object's information, and deleting one.

use std::time::SystemTime;

use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetOptions, ObjectMeta, ObjectStoreExt, path::Path};

use super::{
    Store,
    address::ObjectUrl,
    buckets::Bucket,
    error::{Operation, StoreError},
    info::ObjectInfo,
};

/// Objects as a listing comes to them.
type Metas = BoxStream<'static, Result<ObjectMeta, StoreError>>;

impl Store {
    /// Every object whose address begins with this one, in the server's order, page after page as they are asked for.
    ///
    /// `s3://b/2024` has `2024-01.csv` in it, and `2024/1.csv`; `s3://b/2024/` the latter alone. An error is the last
    /// that comes.
    ///
    /// # Errors
    /// At once [`BadAddress`](super::StoreErrorKind::BadAddress) and
    /// [`NotConfigured`](super::StoreErrorKind::NotConfigured); all others in the stream.
    pub fn list_objects(
        &self,
        url: &str,
    ) -> Result<BoxStream<'static, Result<ObjectInfo, StoreError>>, StoreError> {
        let place = ObjectUrl::parse(url)?;
        let bucket = self.bucket(Operation::List, &place)?;
        let mut progress = self.progress(Operation::List, &place);
        let infos = metas(&bucket, &place)?.map_ok(move |meta| {
            progress.add_object();
            ObjectInfo::of(&place, meta)
        });
        Ok(infos.boxed())
    }

    /// The objects of [`list_objects`](Self::list_objects) that were put at this time or later.
    ///
    /// # Errors
    /// What `list_objects` has.
    pub fn list_recent_objects(
        &self,
        url: &str,
        since: SystemTime,
    ) -> Result<BoxStream<'static, Result<ObjectInfo, StoreError>>, StoreError> {
        let all = self.list_objects(url)?;
        let recent = all.try_filter(move |info| std::future::ready(info.modified >= since));
        Ok(recent.boxed())
    }

    /// What is known of an object without its body.
    ///
    /// # Errors
    /// [`StoreError`]; [`NotFound`](super::StoreErrorKind::NotFound) if there is none. A server does not say here whether
    /// the bucket is what is missing.
    pub async fn list_object_info(&self, url: &str) -> Result<ObjectInfo, StoreError> {
        let place = ObjectUrl::parse(url)?;
        let path = place.path(Operation::Info)?;
        let store = self.bucket(Operation::Info, &place)?.store;
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        match store.get_opts(&path, options).await {
            Ok(got) => Ok(ObjectInfo::of(&place, got.meta)),
            Err(error) => Err(StoreError::of(Operation::Info, url, &error)),
        }
    }

    /// Deletes an object. That there is none is fine to S3, and an error with files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_object(&self, url: &str) -> Result<(), StoreError> {
        let place = ObjectUrl::parse(url)?;
        let path = place.path(Operation::Delete)?;
        let store = self.bucket(Operation::Delete, &place)?.store;
        let deleted = store.delete(&path).await;
        deleted.map_err(|error| StoreError::of(Operation::Delete, url, &error))?;
        self.progress(Operation::Delete, &place).add_object();
        Ok(())
    }
}

/// A listing of a bucket, by any prefix.
fn metas(bucket: &Bucket, place: &ObjectUrl) -> Result<Metas, StoreError> {
    #[cfg(feature = "s3")]
    if let Some(pages) = &bucket.pages {
        return Ok(paged(pages.clone(), place.clone()));
    }
    // These list folders: those of the prefix's folder that begin with it.
    let folder = place.key.rsplit_once('/').map(|(folder, _)| folder);
    let url = place.to_string();
    let folder = match folder {
        Some(folder) => Some(place.with_key(folder).path(Operation::List)?),
        None => None,
    };
    let prefix = place.key.clone();
    let all = bucket.store.list(folder.as_ref().map(|path: &Path| path));
    let fitting = all.try_filter(move |meta| {
        let fits = meta.location.as_ref().starts_with(&prefix);
        std::future::ready(fits)
    });
    let told = fitting.map_err(move |error| StoreError::of(Operation::List, &url, &error));
    Ok(told.boxed())
}

/// A listing page by page, the next when it is asked for.
#[cfg(feature = "s3")]
fn paged(
    pages: std::sync::Arc<dyn object_store::list::PaginatedListStore>,
    place: ObjectUrl,
) -> Metas {
    use futures::stream;
    use object_store::list::PaginatedListOptions;
    /// Which page is next.
    enum Next {
        First,
        After(String),
        None,
    }
    let by_page = stream::try_unfold(Next::First, move |next| {
        let (pages, place) = (pages.clone(), place.clone());
        async move {
            let page_token = match next {
                Next::First => None,
                Next::After(token) => Some(token),
                Next::None => return Ok(None),
            };
            let options = PaginatedListOptions {
                page_token,
                ..PaginatedListOptions::default()
            };
            let prefix = Some(place.key.as_str()).filter(|key| !key.is_empty());
            let page = pages.list_paginated(prefix, options).await;
            let page =
                page.map_err(|error| StoreError::of(Operation::List, &place.to_string(), &error))?;
            let objects = stream::iter(page.result.objects.into_iter().map(Ok));
            let next = page.page_token.map_or(Next::None, Next::After);
            Ok(Some((objects, next)))
        }
    });
    by_page.try_flatten().boxed()
}
