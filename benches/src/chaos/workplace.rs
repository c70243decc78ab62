//! The folder in which workers are, with their temporary files: nothing may be in it when they are gone.

use std::{fs, io::ErrorKind, path::PathBuf};

use anyhow::{Context, Result};
use mt_pool::limits::{Resource, WorkerOptions};
use mt_test_kit::Folder;

/// The name of the folder among the notes.
const WORKPLACE: &str = "workplace";

/// What workers are given so that they are there. What they die of here is no reason for a core dump.
pub(super) fn options(notes: &Folder) -> Result<WorkerOptions> {
    let folder = place(notes);
    fs::create_dir_all(&folder).context("failed to make a folder")?;
    let options = WorkerOptions::new().cwd(&folder).env("TMPDIR", folder);
    Ok(options.limit(Resource::CoreBytes, 0))
}

/// How many files are left in it.
pub(super) fn files(notes: &Folder) -> Result<usize> {
    match fs::read_dir(place(notes)) {
        Ok(entries) => Ok(entries.count()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error).context("failed to read the workers' folder"),
    }
}

fn place(notes: &Folder) -> PathBuf {
    notes.file(WORKPLACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_counted() {
        let notes = Folder::temp();
        assert_eq!(files(&notes).unwrap(), 0);
        let _ = options(&notes).unwrap();
        assert_eq!(files(&notes).unwrap(), 0);
        fs::write(place(&notes).join("core"), "").unwrap();
        assert_eq!(files(&notes).unwrap(), 1);
    }
}
