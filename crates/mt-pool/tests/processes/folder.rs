//! What tasks leave where their test, and other tasks, find it.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

/// A folder that tasks leave their traces in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Notes a number at the end of a file, whoever else does.
    pub(crate) fn note(&self, name: &str, number: u64) {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.file(name))
            .unwrap();
        file.write_all(&number.to_le_bytes()).unwrap();
    }

    /// What was noted.
    pub(crate) fn noted(&self, name: &str) -> Vec<u64> {
        let bytes = std::fs::read(self.file(name)).unwrap_or_default();
        let numbers = bytes.chunks_exact(8).map(|bytes| bytes.try_into().unwrap());
        numbers.map(u64::from_le_bytes).collect()
    }

    /// Whether this is the first to ask.
    pub(crate) fn first(&self, name: &str) -> bool {
        File::create_new(self.file(name)).is_ok()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.file(name).exists()
    }
}

/// A folder of a test's own, which goes with the guard.
pub(crate) fn folder() -> (tempfile::TempDir, Folder) {
    let guard = tempfile::tempdir().unwrap();
    let folder = Folder(guard.path().to_owned());
    (guard, folder)
}
