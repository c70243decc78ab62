//! An HTTP session with retries and limits.

use serde::{Deserialize, Serialize};

use std::time::Duration;

use crate::{
    ContextError,
    transport::{TransportOptions, shared_client},
};

/// How a session behaves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpConfig {}

/// The seed's `http_session`.
#[derive(Debug)]
pub struct HttpSession {
    client: reqwest::Client,
}

impl HttpSession {
    pub(crate) fn open(_config: &HttpConfig) -> Result<Self, ContextError> {
        let client = shared_client(&TransportOptions {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
        })?;
        Ok(Self { client })
    }

    pub(crate) async fn close(self) {
        drop(self.client);
    }
}
