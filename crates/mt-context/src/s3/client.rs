//! The clients of buckets, which share one connection pool.

use object_store::{
    ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{HttpClient, HttpConnector},
};
use std::time::Duration;

use super::{
    config::{S3Config, S3Credentials},
    wire::Wire,
};
use crate::{
    ContextError,
    limits::{HostLimiter, HostLimits},
    retry::RetryPolicy,
    transport::{TransportOptions, TransportProxy, shared_client},
};

/// How long making a connection may take: as boto3's is 60 s and most others' 5 to 10, with retries behind it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long nothing may come: boto3's.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Where there is none in config, profile and environment.
const DEFAULT_REGION: &str = "us-east-1";

/// A server of S3, with credentials.
pub(crate) struct S3 {
    config: S3Config,
    client: HttpClient,
}

impl S3 {
    /// Reads the profile, if it is one. Makes no connection.
    pub(crate) fn open(
        config: &S3Config,
        retry: &RetryPolicy,
        limits: &HostLimits,
    ) -> Result<Self, ContextError> {
        let config = config.resolved()?;
        let client = shared_client(&TransportOptions {
            connect_timeout: CONNECT_TIMEOUT,
            read_timeout: READ_TIMEOUT,
            proxy: TransportProxy::Environment,
            root_certificates: Vec::new(),
        })?;
        let wire = Wire::new(
            HttpClient::new(client),
            retry.clone(),
            HostLimiter::of_process(limits)?,
        );
        Ok(Self {
            config,
            client: HttpClient::new(wire),
        })
    }

    /// The client of a bucket.
    ///
    /// # Errors
    /// What is wrong with its name or the config, for people.
    pub(crate) fn bucket(&self, name: &str) -> Result<AmazonS3, String> {
        let config = &self.config;
        let is_in_path = config
            .path_style
            .unwrap_or(config.endpoint.is_some() || name.contains('.'));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(config.region.as_deref().unwrap_or(DEFAULT_REGION))
            .with_virtual_hosted_style_request(!is_in_path)
            // One request a delete, whose status is its own.
            .with_disable_bulk_delete(true)
            .with_retry(no_retry())
            .with_http_connector(Connector(self.client.clone()));
        if let Some(endpoint) = &config.endpoint {
            let endpoint = match endpoint.split_once("://") {
                Some((scheme, host)) if !is_in_path => format!("{scheme}://{name}.{host}"),
                _ => endpoint.clone(),
            };
            builder = builder
                .with_allow_http(endpoint.starts_with("http://"))
                .with_endpoint(endpoint.trim_end_matches('/'));
        }
        builder = match &config.credentials {
            S3Credentials::Keys {
                access_key_id,
                secret_access_key,
                session_token,
            } => {
                builder = builder
                    .with_access_key_id(access_key_id.reveal())
                    .with_secret_access_key(secret_access_key.reveal());
                match session_token {
                    Some(token) => builder.with_token(token.reveal()),
                    None => builder,
                }
            }
            S3Credentials::Anonymous => builder.with_skip_signature(true),
            S3Credentials::InstanceMetadata => builder,
            S3Credentials::Profile(_) => unreachable!("it was resolved"),
        };
        builder
            .build()
            .map_err(|error| format!("the bucket's client can't be made: {error}"))
    }
}

/// Retries are the wire's, which hears what the server asks for.
fn no_retry() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

/// Hands out the client that there is.
#[derive(Debug)]
struct Connector(HttpClient);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}
