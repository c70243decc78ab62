//! Finding files, one by one, as the pool asks for them.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use walkdir::{DirEntry, WalkDir};

use crate::task::{Found, Refusal};

/// Where to look.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Where the paths of what is found start.
    pub(crate) base: PathBuf,
    /// The directory, or the one file, to walk.
    start: PathBuf,
    is_all: bool,
}

impl Tree {
    /// # Errors
    /// When there is nothing at `path`.
    pub(crate) fn new(path: &Path, is_all: bool) -> Result<Self> {
        let found = path.metadata();
        let found = found.with_context(|| format!("{} can't be looked at", path.display()))?;
        let parent = if found.is_dir() { None } else { path.parent() };
        Ok(Self {
            base: parent.unwrap_or(path).to_owned(),
            start: path.to_owned(),
            is_all,
        })
    }

    /// Every regular file, and what could not be entered. Directories are read as they come up.
    pub(crate) fn walk(&self) -> impl Iterator<Item = Found> + Send + use<> {
        let (base, is_all) = (self.base.clone(), self.is_all);
        WalkDir::new(&self.start)
            .into_iter()
            .filter_entry(move |entry| is_all || !is_by_product(entry))
            .filter_map(move |entry| found(&base, entry))
    }
}

/// What belongs to tools, not to the tree: `.git` (a file in a work tree) and `target` directories.
fn is_by_product(entry: &DirEntry) -> bool {
    let is_target = || entry.file_name() == "target" && entry.file_type().is_dir();
    entry.depth() > 0 && (entry.file_name() == ".git" || is_target())
}

fn found(base: &Path, entry: walkdir::Result<DirEntry>) -> Option<Found> {
    let (path, closed) = match &entry {
        Ok(entry) if is_file(entry) => (entry.path(), None),
        Ok(_) => return None,
        Err(error) => (error.path().unwrap_or(base), Some(refusal(error))),
    };
    let path = match path.strip_prefix(base) {
        Ok(rest) if rest.as_os_str().is_empty() => Path::new("."),
        Ok(rest) => rest,
        Err(_) => path,
    };
    Some(Found {
        path: path.into(),
        closed,
    })
}

/// Links are not followed, but one that was asked for by name is.
fn is_file(entry: &DirEntry) -> bool {
    let is_link = entry.depth() == 0 && entry.path_is_symlink();
    entry.file_type().is_file() || is_link && entry.path().is_file()
}

fn refusal(error: &walkdir::Error) -> Refusal {
    match error.io_error() {
        Some(error) => error.into(),
        // Only a link that leads to itself, when links are followed.
        None => (&io::Error::other(error.to_string())).into(),
    }
}
