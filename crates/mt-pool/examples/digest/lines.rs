//! One line of JSON for each file.

use std::{fmt::Write as _, io::Write};

use anyhow::Result;
use serde::Serialize;

use crate::{byte_path::BytePath, task::Digest};

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    /// The bytes of a path that is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    #[serde(flatten)]
    outcome: Outcome<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome<'a> {
    Digest {
        sha256: String,
        size: u64,
        lines: u64,
        words: u64,
        kind: &'a str,
    },
    Error {
        error: &'a str,
    },
}

/// Prints a line, at once and as a whole.
///
/// # Errors
/// What writing to `out` says.
pub(crate) fn print(
    out: &mut impl Write,
    path: &BytePath,
    outcome: Result<&Digest, &str>,
) -> std::io::Result<()> {
    let outcome = match outcome {
        Ok(digest) => Outcome::Digest {
            sha256: hex(&digest.sha256),
            size: digest.size_bytes,
            lines: digest.lines,
            words: digest.words,
            kind: &digest.kind,
        },
        Err(error) => Outcome::Error { error },
    };
    let line = Line {
        path: &path.display(),
        path_hex: path.as_str().is_none().then(|| hex(path.as_bytes())),
        outcome,
    };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    out.write_all(&text)?;
    out.flush()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // into memory: it can't fail
        text
    })
}
