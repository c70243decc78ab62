//! What tasks leave where their test, and other tasks, find it.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    ops::Deref,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::platform;

/// A folder that several processes leave their traces in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Folder(PathBuf);

/// A [`Folder`] of a test's own, gone with this value.
#[derive(Debug)]
pub struct TempFolder {
    folder: Folder,
    _gone: TempDir,
}

impl Folder {
    /// An empty one.
    pub fn temp() -> TempFolder {
        let dir = tempfile::tempdir().unwrap();
        TempFolder {
            folder: Self(dir.path().to_owned()),
            _gone: dir,
        }
    }

    /// One that is there.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a file of it is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Notes a number at the end of a file, whoever else does.
    pub fn note(&self, name: &str, number: u64) {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(self.file(name));
        file.unwrap().write_all(&number.to_le_bytes()).unwrap();
    }

    /// What was noted.
    pub fn noted(&self, name: &str) -> Vec<u64> {
        let bytes = fs::read(self.file(name)).unwrap_or_default();
        let numbers = bytes.chunks_exact(8).map(|bytes| bytes.try_into().unwrap());
        numbers.map(u64::from_le_bytes).collect()
    }

    /// Makes an empty file. Returns whether it was not there before: whether this is the first to ask.
    pub fn first(&self, name: &str) -> bool {
        File::create_new(self.file(name)).is_ok()
    }

    /// Whether a file is there.
    pub fn exists(&self, name: &str) -> bool {
        self.file(name).exists()
    }

    /// A program of the system's shell with this text.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        platform::write_program(&self.file(name), text)
    }

    /// A worker program that runs this very program with these variables set, and the test `test` in it.
    pub fn worker_program(&self, name: &str, variables: &[(&str, &str)], test: &str) -> PathBuf {
        let sets = variables
            .iter()
            .map(|(name, value)| platform::sets(name, value));
        let sets: String = sets.map(|line| line + "\n").collect();
        platform::write_program(&self.file(name), &(sets + &platform::runs_as_worker(test)))
    }
}

impl Deref for TempFolder {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}
