//! What a context is made of: crosses to the worker, and tells no secret to anybody else.

use serde::{Deserialize, Serialize};

#[cfg(feature = "http")]
use crate::http::HttpConfig;
#[cfg(feature = "store")]
use crate::store::StoreConfig;

/// What [`ContextVars`](crate::ContextVars) are made of. Crosses to the worker; its `Debug` shows no secret.
///
/// ```
/// use mt_context::{ContextConfig, ContextVars};
/// use mt_pool::asyn_pmap;
///
/// #[mt_pool::task]
/// async fn size_of(#[context] vars: &ContextVars, url: String) -> Result<u64, String> {
///     let info = vars.s3_client().list_object_info(&url).await;
///     info.map(|info| info.size_bytes).map_err(|error| error.to_string())
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let config = ContextConfig::new(); // for S3: .s3_profile("backup")
///     let urls = ["file:///proc/version".to_owned()];
///     for size in asyn_pmap::<size_of>(urls).context(config).start()? {
///         println!("{}", size?);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContextConfig {
    #[cfg(feature = "store")]
    pub(crate) store: StoreConfig,
    #[cfg(feature = "http")]
    pub(crate) http: HttpConfig,
}

impl ContextConfig {
    /// What each feature gives, with its defaults: a store of files and memory alone, and a session.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How objects are stored and got.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn store(mut self, store: StoreConfig) -> Self {
        self.store = store;
        self
    }

    /// S3 by a profile's name: the seed's `s3_profile`. The same as [`store`](Self::store) with
    /// [`S3Config::profile`](crate::s3::S3Config::profile).
    #[cfg(feature = "s3")]
    #[must_use]
    pub fn s3_profile(self, name: impl Into<String>) -> Self {
        self.s3(crate::s3::S3Config::profile(name))
    }

    /// Which S3, and with which credentials.
    #[cfg(feature = "s3")]
    #[must_use]
    pub fn s3(mut self, s3: crate::s3::S3Config) -> Self {
        self.store.s3 = Some(s3);
        self
    }

    /// How the HTTP session behaves. Default: [`HttpConfig::default`].
    #[cfg(feature = "http")]
    #[must_use]
    pub fn http(mut self, http: HttpConfig) -> Self {
        self.http = http;
        self
    }
}
