//! The answers as lines of JSON, in the order of the rows, and their digest.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{frame::Row, pipeline::Outcome};

#[derive(Serialize)]
struct Line<'a> {
    row: usize,
    wine: usize,
    noisy: bool,
    grade: usize,
    #[serde(flatten)]
    outcome: Told<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    Answer {
        predicted: usize,
        confidence: f64,
        probabilities: Vec<f64>,
    },
    Error {
        error: &'a str,
    },
}

/// Prints all of them.
///
/// # Errors
/// What writing to `out` says.
pub(crate) fn print(out: &mut impl Write, rows: &[Row], outcomes: &[Outcome]) -> io::Result<()> {
    for (row, (known, outcome)) in rows.iter().zip(outcomes).enumerate() {
        let outcome = match outcome {
            Ok(answer) => Told::Answer {
                predicted: answer.grade,
                confidence: answer.confidence,
                probabilities: answer.likelihoods.iter().map(|(_, it)| *it).collect(),
            },
            Err(error) => Told::Error { error },
        };
        let line = Line {
            row,
            wine: known.wine,
            noisy: known.is_noisy,
            grade: known.grade,
            outcome,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// A digest of every bit of all answers: equal for runs that say the same.
pub(crate) fn digest(outcomes: &[Outcome]) -> String {
    let mut hash = Sha256::new();
    for outcome in outcomes {
        match outcome {
            Ok(answer) => {
                hash.update([1]);
                hash.update(answer.grade.to_le_bytes());
                hash.update(answer.confidence.to_bits().to_le_bytes());
                for (grade, likelihood) in &answer.likelihoods {
                    hash.update(grade.to_le_bytes());
                    hash.update(likelihood.to_bits().to_le_bytes());
                }
            }
            Err(error) => {
                hash.update([0]);
                hash.update(error.len().to_le_bytes());
                hash.update(error);
            }
        }
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // into memory: it can't fail
        hex
    })
}
