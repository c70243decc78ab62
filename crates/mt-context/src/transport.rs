//! One HTTP client for all contexts of a worker process.
//!
//! To make one reads the system's root certificates, which takes 35 to 40 ms each time; and a new one has no connections.
//! A client's connections belong to the runtime they were made in, so one is shared by what runs in the same.

use std::{
    error::Error,
    sync::{Mutex, Once, PoisonError},
    time::Duration,
};

use reqwest::{Certificate, Client, ClientBuilder, redirect};
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
    /// What stands between.
    pub(crate) proxy: TransportProxy,
    /// Certificates in the form of PEM that are trusted beside the system's.
    pub(crate) root_certificates: Vec<String>,
}

/// Through what requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum TransportProxy {
    /// What the variables `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// Nothing.
    #[cfg(feature = "http")]
    Direct,
    /// The proxy with this URL.
    #[cfg(feature = "http")]
    Through(crate::Secret),
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
    match builder(options)?.build() {
        Ok(client) => Ok(client),
        // A machine may have no root certificates at all, and still be asked for what needs none.
        Err(error) if options.root_certificates.is_empty() => {
            let error = causes(&error.without_url());
            tracing::warn!(
                error,
                "no root certificates can be read: no server is trusted"
            );
            let trusting_nobody = builder(options)?.tls_certs_only([]).build();
            trusting_nobody.map_err(|error| client(causes(&error.without_url())))
        }
        Err(error) => Err(client(causes(&error.without_url()))),
    }
}

fn builder(options: &TransportOptions) -> Result<ClientBuilder, ContextError> {
    let mut builder = Client::builder()
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    builder = match &options.proxy {
        TransportProxy::Environment => builder,
        #[cfg(feature = "http")]
        TransportProxy::Direct => builder.no_proxy(),
        #[cfg(feature = "http")]
        TransportProxy::Through(url) => {
            // Its error has the URL, and with that the password.
            let proxy =
                reqwest::Proxy::all(url.reveal()).map_err(|_| client("the proxy's URL is none"))?;
            builder.proxy(proxy)
        }
    };
    if !options.root_certificates.is_empty() {
        let pems = options.root_certificates.iter();
        let read = pems.map(|pem| Certificate::from_pem_bundle(pem.as_bytes()));
        let read: Result<Vec<_>, _> = read.collect();
        let read = read.map_err(|_| client("a root certificate is no PEM"))?;
        builder = builder.tls_certs_merge(read.into_iter().flatten());
    }
    Ok(builder)
}

/// What an error says, and its causes: the error alone says only that there is one.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn client(problem: impl ToString) -> ContextError {
    let problem = problem.to_string();
    ContextError::Client { problem }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TransportOptions, TransportProxy, shared_client};

    #[test]
    fn a_client_is_made_once_for_each_runtime_and_options() {
        let options = TransportOptions {
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(1),
            proxy: TransportProxy::Environment,
            root_certificates: Vec::new(),
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
