//! The stores below: one for each bucket that was named.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

#[cfg(feature = "s3")]
use object_store::list::PaginatedListStore;
use object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory};

use super::{
    address::{ObjectUrl, Scheme},
    config::StoreConfig,
    error::{Operation, StoreError, StoreErrorKind},
};
use crate::ContextError;
#[cfg(feature = "s3")]
use crate::s3::S3;

/// The memory of this process, by the name of its buckets.
static MEMORY: LazyLock<Mutex<HashMap<String, Arc<InMemory>>>> = LazyLock::new(Mutex::default);

/// A bucket as the library below has it.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The same, if it lists by any prefix and page by page.
    #[cfg(feature = "s3")]
    pub(super) pages: Option<Arc<dyn PaginatedListStore>>,
}

/// The buckets of a store.
pub(super) struct Buckets {
    #[cfg(feature = "s3")]
    s3: Option<S3>,
    #[cfg(feature = "s3")]
    known: Mutex<HashMap<String, Bucket>>,
}

impl Buckets {
    /// Makes no connection.
    #[cfg_attr(
        not(feature = "s3"),
        expect(clippy::unnecessary_wraps, reason = "with S3 it may fail")
    )]
    pub(super) fn open(config: &StoreConfig) -> Result<Self, ContextError> {
        #[cfg(not(feature = "s3"))]
        let _ = config;
        Ok(Self {
            #[cfg(feature = "s3")]
            s3: match &config.s3 {
                None => None,
                Some(s3) => Some(S3::open(s3, &config.retry, &config.limits)?),
            },
            #[cfg(feature = "s3")]
            known: Mutex::default(),
        })
    }

    pub(super) fn bucket(
        &self,
        operation: Operation,
        place: &ObjectUrl,
    ) -> Result<Bucket, StoreError> {
        match place.scheme {
            Scheme::S3 => self.s3_bucket(operation, place),
            Scheme::File => Ok(Bucket::of(Arc::new(LocalFileSystem::new()))),
            Scheme::Memory => {
                let mut all = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
                let store = all.entry(place.bucket.clone()).or_default();
                Ok(Bucket::of(store.clone()))
            }
        }
    }

    #[cfg(feature = "s3")]
    fn s3_bucket(&self, operation: Operation, place: &ObjectUrl) -> Result<Bucket, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = known.get(&place.bucket) {
            return Ok(bucket.clone());
        }
        let no = |problem: String| {
            let kind = StoreErrorKind::NotConfigured;
            StoreError::new(operation, place.to_string(), kind, problem)
        };
        let Some(s3) = &self.s3 else {
            return Err(no("the context's config says nothing of S3".to_owned()));
        };
        let store = Arc::new(s3.bucket(&place.bucket).map_err(no)?);
        let bucket = Bucket {
            store: store.clone(),
            pages: Some(store),
        };
        known.insert(place.bucket.clone(), bucket.clone());
        Ok(bucket)
    }

    #[cfg(not(feature = "s3"))]
    #[expect(clippy::unused_self, reason = "with S3 it has some")]
    fn s3_bucket(&self, operation: Operation, place: &ObjectUrl) -> Result<Bucket, StoreError> {
        let problem = "mt-context was built without its feature `s3`";
        let kind = StoreErrorKind::NotConfigured;
        Err(StoreError::new(operation, place.to_string(), kind, problem))
    }
}

impl Bucket {
    fn of(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            #[cfg(feature = "s3")]
            pages: None,
        }
    }
}
