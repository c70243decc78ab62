//! What tells whether the rest of a body belongs to its beginning.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::Duration;

use reqwest::header::{DATE, ETAG, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED};

/// How much older than the answer a time of modification has to be to tell versions apart: two changes within one second
/// have the same (RFC 9110, 8.8.2.2).
const SURELY_OLDER: Duration = Duration::from_secs(1);

/// What a server calls a version of a resource by, as far as that names the same bytes: a strong entity tag, or a time of
/// modification that is older than the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Validator(HeaderValue);

impl Validator {
    /// The best that an answer has; `None` without any.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let tag = headers.get(ETAG).filter(|tag| is_strong(tag.as_bytes()));
        let found = tag.or_else(|| headers.get(LAST_MODIFIED).filter(|_| is_older(headers)));
        found.cloned().map(Self)
    }

    /// The value of `If-Range`: the rest is sent only if this is still the version.
    pub(super) fn if_range(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether an answer does not say that it is of another version.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        let is_tag = self.0.as_bytes().starts_with(b"\"");
        let said = headers.get(if is_tag { ETAG } else { LAST_MODIFIED });
        said.is_none_or(|said| *said == self.0)
    }
}

fn is_strong(tag: &[u8]) -> bool {
    tag.len() >= 2 && tag.starts_with(b"\"") && tag.ends_with(b"\"")
}

fn is_older(headers: &HeaderMap) -> bool {
    let time = |name: HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        httpdate::parse_http_date(text).ok()
    };
    let (modified, answered) = (time(LAST_MODIFIED), time(DATE));
    let age = modified
        .zip(answered)
        .and_then(|(modified, answered)| answered.duration_since(modified).ok());
    age.is_some_and(|age| age >= SURELY_OLDER)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{DATE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED};

    use super::Validator;

    fn headers(tag: &'static str, modified: &'static str, date: &'static str) -> HeaderMap {
        let all = [(ETAG, tag), (LAST_MODIFIED, modified), (DATE, date)].into_iter();
        let all = all.filter(|(_, value)| !value.is_empty());
        all.map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    /// Case C53: A body is resumed by a strong entity tag, or by a time of modification that is older than the answer, and by
    /// nothing that two versions may share.
    #[test]
    fn only_what_names_the_same_bytes_is_a_validator() {
        let (old, new) = (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:38 GMT",
        );
        for (tag, modified, date, found) in [
            ("\"a\"", old, new, "\"a\""),
            ("\"\"", "", "", "\"\""),
            ("W/\"a\"", old, new, old),
            ("W/\"a\"", "", new, ""),
            ("a", "", "", ""),
            ("\"", "", "", ""),
            ("", old, old, ""),
            ("", new, old, ""),
            ("", old, "", ""),
            ("", "yesterday", new, ""),
        ] {
            let validator = Validator::of(&headers(tag, modified, date));
            let said = validator.as_ref().map_or("", |it| it.0.to_str().unwrap());
            assert_eq!(said, found, "{tag} {modified} {date}");
        }
    }

    #[test]
    fn another_version_is_known_by_its_headers() {
        let validator = Validator::of(&headers("\"a\"", "", "")).unwrap();
        assert!(validator.allows(&headers("\"a\"", "", "")));
        assert!(validator.allows(&headers("", "Sun, 06 Nov 1994 08:49:37 GMT", "")));
        assert!(!validator.allows(&headers("\"b\"", "", "")));
        assert!(!validator.allows(&headers("W/\"a\"", "", "")));
    }
}
