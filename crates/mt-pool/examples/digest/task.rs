//! What runs in the worker processes: one call for each file.

use std::{
    fs::File,
    io::{self, Read},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{byte_path::BytePath, glob::Glob, kind::Kind, words::Words};

/// How much of a file is in memory at a time.
const CHUNK_BYTES: usize = 128 * 1024;

/// What all files share: sent once to every worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Where the paths start.
    pub(crate) base: BytePath,
    /// The files whose task aborts its process.
    pub(crate) poison: Option<Glob>,
}

/// What the walk has found: one item.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Relative to the job's base.
    pub(crate) path: BytePath,
    /// Why the walk could not enter it. It comes along as an item so that it is reported in its
    /// place, and so that however many there are, no more are kept than the run's capacity.
    pub(crate) closed: Option<Refusal>,
}

/// What is known of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Digest {
    pub(crate) sha256: [u8; 32],
    pub(crate) size_bytes: u64,
    pub(crate) lines: u64,
    pub(crate) words: u64,
    pub(crate) kind: String,
}

/// Why a file, or a directory, has no digest.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum DigestError {
    /// The walk could not list it.
    #[error("can't be listed: {0}")]
    List(#[source] Refusal),
    #[error("can't be opened: {0}")]
    Open(#[source] Refusal),
    #[error("can't be read beyond {read_bytes} bytes: {refusal}")]
    Read {
        read_bytes: u64,
        #[source]
        refusal: Refusal,
    },
}

/// An `io::Error` that can cross.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{text} [{kind}]")]
pub(crate) struct Refusal {
    /// The name of its `io::ErrorKind`.
    kind: String,
    text: String,
}

impl From<&io::Error> for Refusal {
    fn from(error: &io::Error) -> Self {
        Self {
            kind: format!("{:?}", error.kind()),
            text: error.to_string(),
        }
    }
}

/// Digests one file, and gives its path back with that. A plain `fn`: a worker reads one file at a time, and
/// there are as many at once as there are workers.
#[mt_pool::task]
pub(crate) fn digest(#[shared] job: &Job, found: Found) -> Result<(BytePath, Digest), DigestError> {
    if let Some(refusal) = found.closed {
        return Err(DigestError::List(refusal));
    }
    let is_poisoned = |poison: &Glob| poison.matches(&found.path);
    if job.poison.as_ref().is_some_and(is_poisoned) {
        std::process::abort();
    }
    let path = job.base.to_path().join(found.path.to_path());
    let file = File::open(path).map_err(|error| DigestError::Open((&error).into()))?;
    digest_of(file).map(|digest| (found.path, digest))
}

fn digest_of(mut file: impl Read) -> Result<Digest, DigestError> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    let (mut hash, mut words, mut kind) = (Sha256::new(), Words::default(), Kind::default());
    let mut size_bytes = 0;
    loop {
        chunk.clear();
        // Full chunks up to the end: the first is long enough to know the kind by.
        let read = file
            .by_ref()
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut chunk);
        read.map_err(|error| DigestError::Read {
            read_bytes: size_bytes,
            refusal: (&error).into(),
        })?;
        hash.update(&chunk);
        words.add(&chunk);
        kind.add(&chunk);
        size_bytes += chunk.len() as u64;
        if chunk.len() < CHUNK_BYTES {
            break;
        }
    }
    Ok(Digest {
        sha256: hash.finalize().into(),
        size_bytes,
        lines: words.lines,
        words: words.words,
        kind: kind.name().to_owned(),
    })
}
