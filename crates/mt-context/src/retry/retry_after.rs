//! What a server says about when to come back.
//!
//! Pure: no IO, no clock, no runtime.

use std::time::{Duration, SystemTime};

/// How long the server asks to be left alone: the value of a `Retry-After` header (RFC 9110, 10.2.3), which is a number
/// of seconds or a date. A date in the past is no time at all. `None` for what is neither.
#[must_use]
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Of digits, only too many do not parse.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
