//! A URL as it may be shown.
//!
//! Pure: no IO, no clock, no runtime.

use reqwest::Url;

/// What of a URL stands in errors and events: no query, which signs and names, no user, no password, no fragment.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", origin(url), url.path())
}

/// Scheme, host and port: who it is that limits are for, and that headers were meant for.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Of a text that is no URL, what may be shown: nothing behind a `?`, a `#` or up to an `@`.
pub(super) fn shown_text(text: &str) -> String {
    const LONGEST: usize = 200;
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let text = text.rsplit('@').next().unwrap_or_default();
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

/// What an error below says, unless it repeats what a URL keeps to itself.
pub(super) fn redacted(detail: String, url: &Url) -> String {
    let secrets = [url.query(), url.password(), Some(url.username())];
    let mut secrets = secrets
        .into_iter()
        .flatten()
        .filter(|secret| !secret.is_empty());
    match secrets.any(|secret| detail.contains(secret)) {
        true => String::from("what it says has parts of the URL that are not shown"),
        false => detail,
    }
}

#[cfg(test)]
mod tests {
    use super::{redacted, shown, shown_text};

    /// Case C52: What is shown of a URL has no query, user, password or fragment, whether or not it is one.
    #[test]
    fn what_is_shown_of_a_url_keeps_its_secrets() {
        let url = "https://user:secret@example.com:8443/a%20b?token=secret#secret";
        let url = url.parse().unwrap();
        assert_eq!(shown(&url), "https://example.com:8443/a%20b");
        assert_eq!(redacted("no such host".into(), &url), "no such host");
        assert!(!redacted("GET /a?token=secret".into(), &url).contains("secret"));
        for text in [
            "user:secret@a b",
            "//a b?secret",
            "secret@",
            "a#secret",
            "secret@@b?secret@",
        ] {
            assert!(!shown_text(text).contains("secret"), "{text}");
        }
    }
}
