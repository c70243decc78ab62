//! Which S3, and with whose credentials.

use serde::{Deserialize, Serialize};

use crate::Secret;

/// Which S3, and with whose credentials. Crosses to workers over their private connection; `Debug` shows no secret.
///
/// ```
/// use mt_context::s3::S3Config;
///
/// let backup = S3Config::profile("backup");
/// let local = S3Config::keys("minio", "minio123").endpoint("http://localhost:9000");
/// assert!(!format!("{local:?}").contains("minio123"));
/// # let _ = backup;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct S3Config {
    pub(super) credentials: S3Credentials,
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) path_style: Option<bool>,
}

/// Whose credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum S3Credentials {
    /// What a profile of AWS has, or if it is `None` what the environment has, else of the profile that it names, else of
    /// `default`: as boto3 does. Read where the context is made.
    Profile(Option<String>),
    /// The keys themselves.
    Keys {
        /// Public by itself, as user names are, and not shown all the same.
        access_key_id: Secret,
        /// What requests are signed with.
        secret_access_key: Secret,
        /// What goes with credentials that end some day.
        session_token: Option<Secret>,
    },
    /// No credentials: requests are not signed.
    Anonymous,
    /// What the machine's role has, which its metadata service tells. Nothing but this asks that service.
    InstanceMetadata,
}

impl S3Config {
    /// A profile by its name: the seed's `s3_profile`.
    #[must_use]
    pub fn profile(name: impl Into<String>) -> Self {
        Self::of(S3Credentials::Profile(Some(name.into())))
    }

    /// What boto3 would take without a profile: `AWS_ACCESS_KEY_ID` and those beside it, else the profile `AWS_PROFILE`,
    /// else `default`. Never the metadata of the machine.
    #[must_use]
    pub fn default_profile() -> Self {
        Self::of(S3Credentials::Profile(None))
    }

    /// A pair of keys.
    #[must_use]
    pub fn keys(access_key_id: impl Into<Secret>, secret_access_key: impl Into<Secret>) -> Self {
        Self::of(S3Credentials::Keys {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
        })
    }

    /// Any credentials.
    #[must_use]
    pub fn of(credentials: S3Credentials) -> Self {
        Self {
            credentials,
            region: None,
            endpoint: None,
            path_style: None,
        }
    }

    /// The region. Default: the environment's `AWS_DEFAULT_REGION`, else the profile's, else `us-east-1`.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The server's address, `http://` or `https://`. Default: that of the environment, else the profile's, else AWS.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Whether the bucket is in the path, and not in the host's name. Default: the profile's `addressing_style`, else
    /// yes for an endpoint that is not AWS's, and for a bucket with a dot in its name.
    #[must_use]
    pub fn path_style(mut self, is_in_path: bool) -> Self {
        self.path_style = Some(is_in_path);
        self
    }
}
