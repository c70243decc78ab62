//! Profiles as boto3 reads them.

use std::{collections::HashMap, fs};

use super::{Places, ProfileError, resolve};
use crate::s3::{S3Config, S3Credentials};

/// What a config comes to, with these files and this environment.
fn resolved(
    config: &S3Config,
    [credentials, files]: [&str; 2],
    environment: &[(&str, &str)],
) -> Result<S3Config, ProfileError> {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    fs::create_dir(&aws).unwrap();
    fs::write(aws.join("credentials"), credentials).unwrap();
    fs::write(aws.join("config"), files).unwrap();
    let mut variables: HashMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    variables.insert("HOME".to_owned(), home.path().display().to_string());
    resolve(
        config,
        &Places::of(Box::new(move |name| variables.get(name).cloned())),
    )
}

const FILES: [&str; 2] = [
    "[default]\naws_access_key_id = D\naws_secret_access_key = d\n\
     [x]\nAWS_ACCESS_KEY_ID = X\naws_secret_access_key = x#y ;z\naws_session_token = t\n",
    "[default]\nregion = eu-north-1\n\
     [profile x]\naws_secret_access_key = older\nregion = eu-west-1\nendpoint_url = http://one\nservices = s\n\
     s3 =\n    addressing_style = virtual\n\
     [services s]\ns3 =\n    endpoint_url = http://two\n\
     [profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = x\n",
];

/// Case C16: A profile is read by boto3's rules: credentials beat config, `#` and `;` belong to values, names are the same in
/// any case, and the endpoint of its services counts.
#[test]
fn a_profile_is_read_as_boto3_reads_it() {
    let x = resolved(&S3Config::profile("x"), FILES, &[]).unwrap();
    let keys = S3Credentials::Keys {
        access_key_id: "X".into(),
        secret_access_key: "x#y ;z".into(),
        session_token: Some("t".into()),
    };
    assert_eq!(x.credentials, keys);
    assert_eq!(x.region.as_deref(), Some("eu-west-1"));
    assert_eq!(x.endpoint.as_deref(), Some("http://two"));
    assert_eq!(x.path_style, Some(false));
    let mine = S3Config::profile("x")
        .endpoint("http://mine")
        .region("r")
        .path_style(true);
    let mine = resolved(&mine, FILES, &[("AWS_ENDPOINT_URL_S3", "http://other")]).unwrap();
    assert_eq!(mine.endpoint.as_deref(), Some("http://mine"));
    assert_eq!(
        (mine.region.as_deref(), mine.path_style),
        (Some("r"), Some(true))
    );
}

/// Case C17: Keys of the environment beat the profile that it names, and not one that is asked for.
#[test]
fn the_environment_is_heeded_as_boto3_heeds_it() {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "e"),
        ("AWS_PROFILE", "x"),
    ];
    let id = |config: &S3Config, environment: &[(&str, &str)]| match resolved(
        config,
        FILES,
        environment,
    )
    .unwrap()
    .credentials
    {
        S3Credentials::Keys { access_key_id, .. } => access_key_id.reveal().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id(&S3Config::default_profile(), &keys), "E");
    assert_eq!(id(&S3Config::default_profile(), &keys[2..]), "X");
    assert_eq!(id(&S3Config::default_profile(), &[]), "D");
    assert_eq!(id(&S3Config::profile("x"), &keys), "X");
    let ignoring = [
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_ENDPOINT_URL", "http://e"),
    ];
    let x = resolved(&S3Config::profile("x"), FILES, &ignoring).unwrap();
    assert_eq!(x.endpoint, None);
    let x = resolved(&S3Config::profile("x"), FILES, &ignoring[1..]).unwrap();
    assert_eq!(x.endpoint.as_deref(), Some("http://e"));
}

#[test]
fn what_is_no_profile_or_has_no_keys_says_so() {
    let error = resolved(&S3Config::profile("y"), FILES, &[]).unwrap_err();
    assert!(
        matches!(error, ProfileError::NoSuchProfile { .. }),
        "{error}"
    );
    let error = resolved(&S3Config::profile("role"), FILES, &[]).unwrap_err();
    assert!(error.to_string().contains("role_arn"), "{error}");
    let error = resolved(&S3Config::default_profile(), ["", ""], &[]).unwrap_err();
    assert!(matches!(error, ProfileError::NoKeys { .. }), "{error}");
}

#[test]
fn no_key_is_shown() {
    let x = resolved(&S3Config::profile("x"), FILES, &[]).unwrap();
    let shown = format!("{x:?}");
    assert!(
        !shown.contains("x#y") && !shown.contains("\"X\"") && !shown.contains("\"t\""),
        "{shown}"
    );
}
