//! The part of a body that a server says it sends.
//!
//! Pure: no IO, no clock, no runtime.

/// The value of a `Content-Range` header of an answer 206: from the first byte to the last, of so many in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub(super) first: u64,
    pub(super) last: u64,
    /// `None` where the server does not know.
    pub(super) total: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes 5-9/10` and `bytes 5-9/*`; `None` for what is neither, or makes no sense.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (unit, rest) = value.trim().split_once(' ')?;
        let (range, total) = rest.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let [first, last] = [number(first)?, number(last)?];
        let total = match total.trim() {
            "*" => None,
            total => Some(number(total)?),
        };
        let is_sound = first <= last && total.is_none_or(|total| last < total);
        let is_bytes = unit.eq_ignore_ascii_case("bytes");
        (is_bytes && is_sound).then_some(Self { first, last, total })
    }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::ContentRange;

    #[test]
    fn ranges_that_make_sense_are_read_and_no_others() {
        let read =
            |text| ContentRange::parse(text).map(|range| (range.first, range.last, range.total));
        assert_eq!(read("bytes 5-9/10"), Some((5, 9, Some(10))));
        assert_eq!(read("Bytes 0-0/*"), Some((0, 0, None)));
        let most = u64::MAX;
        let text = format!("bytes 0-{most}/*");
        assert_eq!(read(&text), Some((0, most, None)));
        for none in [
            "",
            "bytes",
            "bytes */10",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "lines 5-9/10",
            "bytes 5-/10",
            "bytes -5/10",
            "bytes +5-9/10",
            "bytes 5-9",
            "bytes 5-9/x",
            "bytes 5-99999999999999999999/*",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
