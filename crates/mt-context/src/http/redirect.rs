//! Where a redirect leads, and what may go there.
//!
//! Pure: no IO, no clock, no runtime.

use bytes::Bytes;
use reqwest::{
    Method, Url,
    header::{
        ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap,
        HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
        RANGE,
    },
};

use super::display_url::origin;

/// Headers that say nothing about who asks.
const HARMLESS: [HeaderName; 11] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CONTENT_ENCODING,
    CONTENT_TYPE,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    RANGE,
];

/// A request to one place.
#[derive(Clone)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

impl Hop {
    /// What an answer with this status and `Location` leads to; `None` if that is nowhere.
    pub(super) fn redirected(&self, status: u16, location: &str) -> Option<Self> {
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let url = self.url.join(location).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let mut next = Self {
            url,
            ..self.clone()
        };
        // As browsers do, and everybody since: what was posted is not posted again (Fetch, 4.4).
        let is_post = self.method == Method::POST;
        let is_safe = matches!(self.method, Method::GET | Method::HEAD);
        if (status == 303 && !is_safe) || (matches!(status, 301 | 302) && is_post) {
            next.method = Method::GET;
            next.body = None;
            next.headers.remove(CONTENT_TYPE);
            next.headers.remove(CONTENT_ENCODING);
        }
        if origin(&next.url) != origin(&self.url) {
            let harmless = HARMLESS.iter().filter_map(|name| {
                let value = next.headers.get(name)?.clone();
                Some((name.clone(), value))
            });
            next.headers = harmless.collect();
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::{
        Method,
        header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue},
    };

    use super::Hop;

    fn hop(method: Method) -> Hop {
        let own = HeaderName::from_static("x-api-key");
        let names = [ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, own];
        let headers = names.map(|name| (name, HeaderValue::from_static("a")));
        Hop {
            method,
            url: "http://a.example/b/c?d".parse().unwrap(),
            headers: HeaderMap::from_iter(headers),
            body: Some(Bytes::from_static(b"body")),
        }
    }

    /// Case C19: To another origin go no headers but those that say nothing about who asks: another host, port or scheme.
    #[test]
    fn credentials_stay_with_their_origin() {
        for elsewhere in [
            "http://b.example/",
            "http://a.example:81/",
            "https://a.example/",
            "//b.example",
        ] {
            let next = hop(Method::GET).redirected(302, elsewhere).unwrap();
            let names: Vec<_> = next.headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, ["accept", "content-type"], "{elsewhere}");
        }
        for here in [
            "/e",
            "e",
            "?e",
            "http://a.example:80/e",
            "http://A.EXAMPLE/e",
        ] {
            let next = hop(Method::GET).redirected(302, here).unwrap();
            assert_eq!(next.headers.len(), 5, "{here}");
        }
    }

    #[test]
    fn what_was_posted_is_posted_again_only_where_the_status_says_so() {
        for (status, method, becomes) in [
            (301, Method::POST, Method::GET),
            (302, Method::POST, Method::GET),
            (303, Method::PUT, Method::GET),
            (303, Method::HEAD, Method::HEAD),
            (301, Method::PUT, Method::PUT),
            (307, Method::POST, Method::POST),
            (308, Method::POST, Method::POST),
        ] {
            let next = hop(method.clone()).redirected(status, "/e").unwrap();
            let has_body = method == Method::HEAD || becomes != Method::GET;
            assert_eq!(
                (next.method, next.body.is_some()),
                (becomes, has_body),
                "{status} {method}"
            );
        }
    }

    #[test]
    fn what_leads_nowhere_is_no_redirect() {
        for (status, location) in [
            (200, "/"),
            (300, "/"),
            (304, "/"),
            (302, "ftp://a/"),
            (302, "http://:x/"),
        ] {
            assert!(
                hop(Method::GET).redirected(status, location).is_none(),
                "{status} {location}"
            );
        }
    }
}
