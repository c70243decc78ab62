//! What the example says of one file.

use std::os::unix::ffi::OsStrExt;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::tree::Content;

/// A line of its output: of a file that was read, or with the error why it was not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    path: String,
    /// The bytes of a path that is no text.
    path_hex: Option<String>,
    error: Option<String>,
    sha256: Option<String>,
    size: Option<u64>,
    lines: Option<u64>,
    words: Option<u64>,
    kind: Option<String>,
}

/// The rows of an output whose every line is one, complete.
pub(crate) fn parse(output: &[u8]) -> Vec<Row> {
    assert!(output.is_empty() || output.ends_with(b"\n"));
    let text = str::from_utf8(output).unwrap();
    assert!(
        !text.contains("\":null"),
        "what there is nothing of is left out"
    );
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
    rows.inspect(Row::check).collect()
}

/// What should be said of a file.
pub(crate) fn expected(file: &Content) -> Row {
    let bytes = &file.bytes;
    let words = bytes.split(|byte| b" \t\n\x0b\x0c\r".contains(byte));
    let words = words.filter(|word| !word.is_empty());
    let lines = bytes.iter().filter(|&&byte| byte == b'\n');
    Row {
        path: file.path.display().to_string(),
        path_hex: match file.path.to_str() {
            Some(_) => None,
            None => Some(hex(file.path.as_os_str().as_bytes())),
        },
        error: None,
        sha256: Some(hex(&Sha256::digest(bytes))),
        size: Some(bytes.len() as u64),
        lines: Some(lines.count() as u64),
        words: Some(words.count() as u64),
        kind: Some(file.kind.to_owned()),
    }
}

impl Row {
    /// An error has nothing else beside it, and what is no error has everything.
    fn check(&self) {
        let numbers = [self.size, self.lines, self.words].map(|number| number.is_none());
        let texts = [&self.sha256, &self.kind].map(Option::is_none);
        let is_error = self.error.is_some();
        assert_eq!((numbers, texts), ([is_error; 3], [is_error; 2]), "{self:?}");
    }

    pub(crate) fn is_of(&self, file: &Content) -> bool {
        self.path == file.path.display().to_string()
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(crate) fn path_and_sum(&self) -> (String, String) {
        (self.path.clone(), self.sha256.clone().unwrap())
    }

    /// Lines, words, bytes.
    pub(crate) fn counts(&self) -> Option<[u64; 3]> {
        Some([self.lines?, self.words?, self.size?])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
