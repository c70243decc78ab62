//! A context with all that tasks use of it.

#[cfg(feature = "store")]
use crate::Store;
#[cfg(feature = "http")]
use crate::http::HttpSession;
use crate::{ContextConfig, ContextError};

/// An object store and an HTTP session: the seed's `context_vars`.
///
/// Made in the worker, of a [`ContextConfig`], for a batch of items or for all of a worker's; closed after. The seed's entry
/// `async` is in how a task is written.
#[derive(Debug)]
pub struct ContextVars {
    #[cfg(feature = "store")]
    s3_client: Store,
    #[cfg(feature = "http")]
    http_session: HttpSession,
}

impl ContextVars {
    /// The object store: `s3://`, `file://` and `memory://`.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn s3_client(&self) -> &Store {
        &self.s3_client
    }

    /// The HTTP session.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn http_session(&self) -> &HttpSession {
        &self.http_session
    }
}

impl mt_pool::Context for ContextVars {
    type Config = ContextConfig;
    type Error = ContextError;

    async fn open(config: &ContextConfig) -> Result<Self, ContextError> {
        create_context_vars(config).await
    }

    async fn close(self) -> Result<(), ContextError> {
        #[cfg(feature = "http")]
        self.http_session.close().await;
        Ok(())
    }
}

/// Makes a context outside of a pool: in a bee's `new`, for the works of this process, in a test.
///
/// # Errors
/// [`ContextError`], if an option is out of its range or the client can't be made.
pub async fn create_context_vars(config: &ContextConfig) -> Result<ContextVars, ContextError> {
    #[cfg(not(any(feature = "http", feature = "store")))]
    let _ = config;
    Ok(ContextVars {
        #[cfg(feature = "store")]
        s3_client: Store::open(&config.store)?,
        #[cfg(feature = "http")]
        http_session: HttpSession::open(&config.http)?,
    })
}
