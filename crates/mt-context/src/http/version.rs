//! What of a resource is being sent: all pieces of a body have to be of the same version.
//!
//! Pure: no IO, no clock, no runtime.

use reqwest::{
    Method,
    header::{
        ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName,
        HeaderValue, IF_RANGE, RANGE,
    },
};

use super::{content_range::ContentRange, gunzip::Gunzip, validator::Validator};

/// A version of a resource, as the answer that it comes in describes it.
#[derive(Debug)]
pub(super) struct Version {
    /// How it is asked for once more; `None` if it can't be.
    validator: Option<Validator>,
    /// How long the body is said to be, as it is sent.
    pub(super) total_bytes: Option<u64>,
    encoding: Option<HeaderValue>,
    pub(super) gunzip: Option<Gunzip>,
}

/// A body is compressed in another way than gzip.
#[derive(Debug)]
pub(super) struct UnknownEncoding;

impl Version {
    /// What an answer is of; `is_part` of one that has a part of the body only.
    pub(super) fn of(
        method: &Method,
        headers: &HeaderMap,
        is_part: bool,
    ) -> Result<Self, UnknownEncoding> {
        let encoding = headers.get(CONTENT_ENCODING).cloned();
        let named = encoding.as_ref().map_or(Ok(""), HeaderValue::to_str);
        let named = named.unwrap_or("?").trim().to_ascii_lowercase();
        let gunzip = match named.as_str() {
            "" | "identity" => None,
            "gzip" | "x-gzip" => Some(Gunzip::new()),
            _ => return Err(UnknownEncoding),
        };
        let refuses = headers
            .get(ACCEPT_RANGES)
            .is_some_and(|value| value == "none");
        let is_resumable = *method == Method::GET && !is_part && !refuses;
        let length = text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Ok(Self {
            validator: Validator::of(headers).filter(|_| is_resumable),
            total_bytes: length.filter(|_| *method != Method::HEAD),
            encoding,
            gunzip,
        })
    }

    /// Whether the rest of it can be asked for.
    pub(super) fn can_resume(&self) -> bool {
        self.validator.is_some()
    }

    /// The rest of it can't be asked for any more.
    pub(super) fn forget(&mut self) {
        self.validator = None;
    }

    /// What asks for the rest of it, beside the request itself.
    pub(super) fn range(&self, received_bytes: u64) -> HeaderMap {
        let mut extra = HeaderMap::new();
        if let Some(validator) = &self.validator {
            let range = format!("bytes={received_bytes}-");
            let range = HeaderValue::try_from(range).expect("digits are a header's value");
            extra.insert(RANGE, range);
            extra.insert(IF_RANGE, validator.if_range());
        }
        extra
    }

    /// Whether a part goes on where so much has come of this version. A part may end before the body does: then the rest
    /// is asked for once more.
    pub(super) fn is_continued(&self, received_bytes: u64, headers: &HeaderMap) -> bool {
        let Some(range) = text(headers, CONTENT_RANGE).and_then(ContentRange::parse) else {
            return false;
        };
        let is_same_length = match (self.total_bytes, range.total) {
            (Some(total), Some(said)) => total == said,
            (Some(total), None) => range.last < total,
            (None, _) => true,
        };
        let is_same = self.validator.as_ref().is_some_and(|it| it.allows(headers));
        let is_encoded_alike = self.encoding.as_ref() == headers.get(CONTENT_ENCODING);
        range.first == received_bytes && is_same_length && is_same && is_encoded_alike
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
