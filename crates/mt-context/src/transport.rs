//! One HTTP client for all contexts of a worker process.
//!
//! To make one reads the system's root certificates, which takes 35 to 40 ms each time; and a new one has no connections.
//! A client's connections belong to the runtime they were made in, so one is shared by what runs in the same.

use std::{
    sync::{Mutex, Once, PoisonError},
    time::Duration,
};

use reqwest::{Client, redirect};
use tokio::runtime::{self, Handle};

use crate::ContextError;

/// The most clients that are kept. A worker process has one runtime, and mostly one set of options.
const KEPT_CLIENTS: usize = 8;

/// What can't be said for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransportOptions {
    /// How long making a connection may take.
    pub(crate) connect_timeout: Duration,
    /// How long nothing may come while an answer or its body is read.
    pub(crate) read_timeout: Duration,
}

struct Kept {
    runtime: runtime::Id,
    options: TransportOptions,
    client: Client,
}

static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// The client with these options for the current runtime. It follows no redirect and retries nothing: both is decided
/// above it, where limits are kept.
///
/// # Errors
/// [`ContextError::Client`].
///
/// # Panics
/// Outside a tokio runtime.
pub(crate) fn shared_client(options: &TransportOptions) -> Result<Client, ContextError> {
    let runtime = Handle::current().id();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept
        .iter()
        .find(|it| it.runtime == runtime && it.options == *options);
    if let Some(known) = known {
        return Ok(known.client.clone());
    }
    let client = make(options)?;
    if kept.len() == KEPT_CLIENTS {
        kept.remove(0);
    }
    kept.push(Kept {
        runtime,
        options: options.clone(),
        client: client.clone(),
    });
    Ok(client)
}

fn make(options: &TransportOptions) -> Result<Client, ContextError> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error says that the program has chosen one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = Client::builder()
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    builder.build().map_err(|error| ContextError::Client {
        problem: error.without_url().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TransportOptions, shared_client};

    #[test]
    fn a_client_is_made_once_for_each_runtime_and_options() {
        let options = TransportOptions {
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(1),
        };
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
        };
        let kept = || super::KEPT.lock().unwrap().len();
        let [first, second] = [runtime(), runtime()];
        let before = kept();
        first.block_on(async { shared_client(&options).unwrap() });
        first.block_on(async { shared_client(&options).unwrap() });
        assert_eq!(kept(), before + 1);
        second.block_on(async { shared_client(&options).unwrap() });
        assert_eq!(kept(), before + 2);
    }
}
