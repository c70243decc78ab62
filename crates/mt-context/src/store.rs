//! Objects by their addresses: the seed's `s3_client` and its helpers.
//!
//! ```
//! use mt_context::{ContextConfig, create_context_vars};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let vars = create_context_vars(&ContextConfig::new()).await?;
//! let store = vars.s3_client();
//! store.put_object("memory://docs/a/1.txt", "one").await?;
//! assert_eq!(store.get_object("memory://docs/a/1.txt").await?, "one");
//! assert_eq!(store.list_object_info("memory://docs/a/1.txt").await?.size_bytes, 3);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Bodies of any size are streams: [`Store::read_object`] and [`Store::get_object_to_file`] one way,
//! [`Store::put_file`] and [`Store::put_stream`] the other. A body that is cut is resumed by range, from the same version of
//! the object. What is put is there when that is said, whole; until then there is nothing, or what was there before.
//!
//! # What can't be named
//!
//! Keys with an empty part (`a//b`), `.`, `..` or a control character, and keys that begin or end with a slash, are
//! refused. A listing that comes to such a key is an error there, but for a slash at the end, which is not told: the
//! markers that some tools make for folders are listed without it.

mod address;
mod buckets;
mod config;
mod error;
#[cfg(feature = "s3")]
mod failed_request;
mod get;
mod info;
mod list;
mod parts;
mod progress;
mod put;
mod reader;

use std::{fmt, sync::Arc};

pub use address::{ObjectUrl, Scheme, join, split};
use buckets::{Bucket, Buckets};
pub use config::StoreConfig;
pub use error::{Operation, StoreError, StoreErrorKind};
pub use info::ObjectInfo;
pub use progress::Transfer;
use progress::{Observer, Progress};
pub use put::Put;
pub use reader::ObjectReader;
use tokio::sync::Semaphore;

use crate::ContextError;

/// Objects of `s3://`, `file://` and `memory://`. Clones share what they are made of.
///
/// All futures are cancel-safe in this way: dropped, they leave no object and no file that is half of one.
#[derive(Clone)]
pub struct Store {
    shared: Arc<StoreShared>,
    observer: Option<Observer>,
}

/// What the clones of a store share.
struct StoreShared {
    config: StoreConfig,
    buckets: Buckets,
    /// Room for what is put and in memory.
    parts: Arc<Semaphore>,
}

impl Store {
    pub(crate) fn open(config: &StoreConfig) -> Result<Self, ContextError> {
        config.check()?;
        let shared = StoreShared {
            buckets: Buckets::open(config)?,
            parts: Arc::new(Semaphore::new(config.parts_at_once as usize)),
            config: config.clone(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            observer: None,
        })
    }

    /// The same store, that tells of every transfer and listing how far it is: after each piece of a body, each part,
    /// each page.
    ///
    /// Called where the transfer is polled; a panic there goes through.
    #[must_use]
    pub fn with_progress(&self, observer: impl Fn(&Transfer) + Send + Sync + 'static) -> Self {
        Self {
            shared: self.shared.clone(),
            observer: Some(Arc::new(observer)),
        }
    }

    /// The bucket of an address.
    fn bucket(&self, operation: Operation, place: &ObjectUrl) -> Result<Bucket, StoreError> {
        self.shared.buckets.bucket(operation, place)
    }

    fn progress(&self, operation: Operation, place: &ObjectUrl) -> Progress {
        Progress::new(self.observer.clone(), operation, place.to_string())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}
