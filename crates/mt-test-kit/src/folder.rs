//! What tasks leave where their test, and other tasks, find it.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    ops::Deref,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

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

    /// A program of the shell with this text.
    #[cfg(unix)]
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.file(name);
        fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

impl Deref for TempFolder {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}
