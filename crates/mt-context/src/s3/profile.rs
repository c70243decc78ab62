//! Profiles of AWS, by the rules of boto3.

use std::{env, fs, path::PathBuf};

use thiserror::Error;

use super::{
    config::{S3Config, S3Credentials},
    ini::{Ini, Section, nested},
};

/// Why a profile can't be used. No text holds a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Neither of the files has a profile of that name.
    #[error("there is no profile {name:?} in {}", .files.join(" or "))]
    NoSuchProfile {
        /// The profile.
        name: String,
        /// Where it was looked for.
        files: Vec<String>,
    },
    /// The profile has no keys, or half of them. If it says how to get some, this can't do that.
    #[error("the profile {name:?} has no keys: {problem}")]
    NoKeys {
        /// The profile.
        name: String,
        /// What it has instead.
        problem: String,
    },
}

/// What a variable of the environment is set to.
type Variable = Box<dyn Fn(&str) -> Option<String>>;

/// Where profiles are, and the environment that they are read in.
pub(super) struct Places {
    variable: Variable,
    credentials: PathBuf,
    config: PathBuf,
}

impl Places {
    /// The files and the environment of this process.
    pub(super) fn of_process() -> Self {
        Self::of(Box::new(|name| env::var(name).ok()))
    }

    fn of(variable: Variable) -> Self {
        let home = variable("HOME").or_else(|| variable("USERPROFILE"));
        let home = PathBuf::from(home.unwrap_or_default());
        let file = |name: &str, usual: &str| match variable(name) {
            Some(path) => match path.strip_prefix("~/") {
                Some(below) => home.join(below),
                None => PathBuf::from(path),
            },
            None => home.join(".aws").join(usual),
        };
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let config = file("AWS_CONFIG_FILE", "config");
        Self {
            variable,
            credentials,
            config,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }
}

impl S3Config {
    /// The same with the profile read now, here: the keys are in it then, and cross to workers that see neither these files
    /// nor this environment.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn resolved(&self) -> Result<Self, ProfileError> {
        resolve(self, &Places::of_process())
    }
}

/// The same config, with keys instead of a profile, and with all that the profile and the environment say beside.
pub(super) fn resolve(config: &S3Config, places: &Places) -> Result<S3Config, ProfileError> {
    let S3Credentials::Profile(asked) = &config.credentials else {
        return Ok(config.clone());
    };
    // A file that can't be read is one that is not there, as for boto3.
    let read = |path| Ini::parse(&fs::read_to_string(path).unwrap_or_default());
    let (credentials, files) = (read(&places.credentials), read(&places.config));
    let name = asked.clone().or_else(|| places.variable("AWS_PROFILE"));
    let name = name.or_else(|| places.variable("AWS_DEFAULT_PROFILE"));
    let is_named = name.is_some();
    let name = name.unwrap_or_else(|| "default".to_owned());
    let profile = merged(&name, &credentials, &files);
    if is_named && profile.is_none() {
        let paths = [&places.credentials, &places.config];
        return Err(ProfileError::NoSuchProfile {
            name,
            files: paths.map(|path| path.display().to_string()).into(),
        });
    }
    let profile = profile.unwrap_or_default();
    let mut resolved = config.clone();
    // A profile that is asked for by name beats keys of the environment; one that the environment names does not.
    let of_environment = asked.is_none().then(|| environment_keys(places)).flatten();
    resolved.credentials = match of_environment {
        Some(keys) => keys,
        None => profile_keys(&name, &profile)?,
    };
    let region = config.region.clone();
    let region = region.or_else(|| places.variable("AWS_DEFAULT_REGION"));
    resolved.region = region.or_else(|| profile.get("region").cloned());
    resolved.endpoint = config
        .endpoint
        .clone()
        .or_else(|| endpoint(places, &profile, &files));
    resolved.path_style = config.path_style.or_else(|| {
        match nested(profile.get("s3")?).get("addressing_style")?.as_str() {
            "path" => Some(true),
            "virtual" => Some(false),
            _ => None,
        }
    });
    Ok(resolved)
}

/// What both files say of a profile; where they differ, what the credentials say.
fn merged(name: &str, credentials: &Ini, config: &Ini) -> Option<Section> {
    let of_config = config.section(&["profile", name]);
    let of_config =
        of_config.or_else(|| config.section(&["default"]).filter(|_| name == "default"));
    let of_credentials = credentials.section(&[name]);
    of_config.or(of_credentials)?;
    let mut both = of_config.cloned().unwrap_or_default();
    both.extend(of_credentials.cloned().unwrap_or_default());
    Some(both)
}

fn environment_keys(places: &Places) -> Option<S3Credentials> {
    Some(S3Credentials::Keys {
        access_key_id: places.variable("AWS_ACCESS_KEY_ID")?.into(),
        secret_access_key: places.variable("AWS_SECRET_ACCESS_KEY")?.into(),
        session_token: places.variable("AWS_SESSION_TOKEN").map(Into::into),
    })
}

fn profile_keys(name: &str, profile: &Section) -> Result<S3Credentials, ProfileError> {
    let value = |key: &str| profile.get(key).cloned();
    if let (Some(id), Some(secret)) = (value("aws_access_key_id"), value("aws_secret_access_key")) {
        let token = value("aws_session_token").or_else(|| value("aws_security_token"));
        return Ok(S3Credentials::Keys {
            access_key_id: id.into(),
            secret_access_key: secret.into(),
            session_token: token.map(Into::into),
        });
    }
    const ELSEWHERE: [&str; 5] = [
        "role_arn",
        "credential_process",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    ];
    let other = ELSEWHERE.into_iter().find(|key| profile.contains_key(*key));
    Err(ProfileError::NoKeys {
        name: name.to_owned(),
        problem: match other {
            Some(other) => format!(
                "it has `{other}`, which is not supported: give keys, for instance of `aws configure export-credentials`"
            ),
            None => "give `aws_access_key_id` and `aws_secret_access_key`".to_owned(),
        },
    })
}

/// The endpoint that the environment gives, or the profile.
fn endpoint(places: &Places, profile: &Section, config: &Ini) -> Option<String> {
    let ignored = places.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let ignored = ignored.or_else(|| profile.get("ignore_configured_endpoint_urls").cloned());
    if ignored.is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        return None;
    }
    let of_service = || {
        let services = config.section(&["services", profile.get("services")?])?;
        nested(services.get("s3")?).get("endpoint_url").cloned()
    };
    places
        .variable("AWS_ENDPOINT_URL_S3")
        .or_else(|| places.variable("AWS_ENDPOINT_URL"))
        .or_else(of_service)
        .or_else(|| profile.get("endpoint_url").cloned())
}

#[cfg(test)]
#[path = "profile/tests.rs"]
mod tests;
