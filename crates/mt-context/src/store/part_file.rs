//! A file that has its name once it is whole.

use std::path::{Path, PathBuf};

use rand::RngExt;
use tokio::{
    fs::{self, File, OpenOptions},
    io::{self, AsyncWriteExt},
};

/// How a file's name ends until it is whole.
const ENDING: &str = "part";

/// A file that is written under another name, in the same folder, and gone with this value unless it was
/// [finished](Self::finish). A process that is killed leaves it there, under that other name.
#[derive(Debug)]
pub(super) struct PartFile {
    file: File,
    temporary: PathBuf,
    name: PathBuf,
    is_finished: bool,
}

impl PartFile {
    /// Makes the file, and none of its folders.
    pub(super) async fn create(name: &Path) -> io::Result<Self> {
        let Some(last) = name.file_name() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "that is no file's name",
            ));
        };
        let number: u64 = rand::rng().random();
        let temporary = format!(".{}.{number:016x}.{ENDING}", last.display());
        let temporary = name.with_file_name(temporary);
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .open(&temporary)
            .await?;
        Ok(Self {
            file,
            temporary,
            name: name.to_owned(),
            is_finished: false,
        })
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Gives it its name, in place of a file that has it.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.file.flush().await?;
        fs::rename(&self.temporary, &self.name).await?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.is_finished {
            // Nobody is left to be told when that fails.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}
