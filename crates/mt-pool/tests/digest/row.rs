//! What the example says of one file.

use std::os::unix::ffi::OsStrExt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::tree::Content;

/// A line of its output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    path: Vec<u8>,
    outcome: Result<Found, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    sha256: String,
    size: u64,
    lines: u64,
    words: u64,
    kind: String,
}

/// The rows of an output whose every line is one, complete.
pub(crate) fn parse(output: &[u8]) -> Vec<Row> {
    assert!(output.is_empty() || output.ends_with(b"\n"));
    let text = str::from_utf8(output).unwrap();
    text.lines().map(parse_line).collect()
}

/// What should be said of a file.
pub(crate) fn expected(file: &Content) -> Row {
    let bytes = &file.bytes;
    let words = bytes.split(|byte| b" \t\n\x0b\x0c\r".contains(byte));
    let found = Found {
        sha256: hex(&Sha256::digest(bytes)),
        size: bytes.len() as u64,
        lines: bytes.iter().filter(|&&byte| byte == b'\n').count() as u64,
        words: words.filter(|word| !word.is_empty()).count() as u64,
        kind: file.kind.to_owned(),
    };
    Row {
        path: file.path.as_os_str().as_bytes().to_vec(),
        outcome: Ok(found),
    }
}

impl Row {
    pub(crate) fn is_of(&self, file: &Content) -> bool {
        self.path == file.path.as_os_str().as_bytes()
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }

    pub(crate) fn path_and_sum(&self) -> (Vec<u8>, String) {
        let found = self.outcome.as_ref().unwrap();
        (self.path.clone(), found.sha256.clone())
    }

    /// Lines, words, bytes.
    pub(crate) fn counts(&self) -> Option<[u64; 3]> {
        let found = self.outcome.as_ref().ok()?;
        Some([found.lines, found.words, found.size])
    }
}

fn parse_line(line: &str) -> Row {
    let line: Value = serde_json::from_str(line).unwrap();
    let fields = line.as_object().unwrap().keys();
    let mut fields: Vec<&str> = fields.map(String::as_str).collect();
    let text = |field: &str| line[field].as_str().unwrap().to_owned();
    let number = |field: &str| line[field].as_u64().unwrap();
    let path = match line.get("path_hex") {
        Some(_) => unhex(&text("path_hex")),
        None => text("path").into_bytes(),
    };
    fields.retain(|field| *field != "path_hex");
    fields.sort_unstable();
    let outcome = if fields == ["error", "path"] {
        Err(text("error"))
    } else {
        assert_eq!(fields, ["kind", "lines", "path", "sha256", "size", "words"]);
        Ok(Found {
            sha256: text("sha256"),
            size: number("size"),
            lines: number("lines"),
            words: number("words"),
            kind: text("kind"),
        })
    };
    Row { path, outcome }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text
        .as_bytes()
        .chunks(2)
        .map(|pair| str::from_utf8(pair).unwrap());
    let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap());
    bytes.collect()
}
