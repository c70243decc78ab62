//! A file that gets its name when all of it is there.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    fs,
    io::{AsyncWriteExt, BufWriter},
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::platform::is_still;

/// So much is written at a time: a call of the system in another thread each.
const BUFFER_BYTES: usize = 128 * 1024;

/// How long it may take until a file is let go of by whoever was dropped, or killed, and how often that is looked for.
const LET_GO: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A file on its way: `.NAME.part`, locked against others that are on their way to the same name. Gone when it is dropped
/// unfinished.
pub(crate) struct PartialFile {
    // Before the file: its name must not be another's yet when it is removed, and is not while it is locked.
    part: Part,
    file: BufWriter<fs::File>,
    target: PathBuf,
}

/// The name it has until then; gone with this value.
struct Part(PathBuf);

/// A file with its name and the lock on both. A blocking call returns it whole, since nobody may be left who waits for it.
struct Locked {
    part: Part,
    file: File,
}

/// Why there is none.
pub(crate) enum PartialError {
    /// Another one is on its way to the same name.
    Busy,
    Io(io::Error),
}

impl PartialFile {
    /// An empty one.
    pub(crate) async fn create(target: &Path) -> Result<Self, PartialError> {
        let path = part_of(target).map_err(PartialError::Io)?;
        let began = Instant::now();
        let Locked { part, file } = loop {
            let path = path.clone();
            let opened = spawn_blocking(move || open_locked(path)).await;
            match opened.map_err(|error| PartialError::Io(error.into()))? {
                Err(PartialError::Busy) if began.elapsed() < LET_GO => sleep(LOOK_AGAIN).await,
                opened => break opened?,
            }
        };
        let file = BufWriter::with_capacity(BUFFER_BYTES, fs::File::from_std(file));
        let target = target.to_owned();
        Ok(Self { part, file, target })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Begins anew.
    #[cfg(feature = "http")]
    pub(crate) async fn restart(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        let file = self.file.get_mut();
        file.set_len(0).await?;
        tokio::io::AsyncSeekExt::rewind(file).await.map(drop)
    }

    /// Gives it its name, after it is on the disk if that is wanted.
    pub(crate) async fn finish(mut self, syncs: bool) -> io::Result<()> {
        self.file.flush().await?;
        let Self { part, file, target } = self;
        let file = file.into_inner().into_std().await;
        let locked = Locked { part, file };
        let finished = spawn_blocking(move || locked.finish(&target, syncs)).await;
        finished.map_err(io::Error::from)?
    }
}

impl Locked {
    fn finish(mut self, target: &Path, syncs: bool) -> io::Result<()> {
        if syncs {
            self.file.sync_data()?;
        }
        std::fs::rename(&self.part.0, target)?;
        // The name is another file's from here on, or nobody's.
        self.part.0.clear();
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

impl From<io::Error> for PartialError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn part_of(target: &Path) -> io::Result<PathBuf> {
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    let mut part = OsString::from(".");
    part.push(name);
    part.push(".part");
    Ok(target.with_file_name(part))
}

/// Opens the file of this name, made if need be, for nobody else, and empties it.
fn open_locked(path: PathBuf) -> Result<Locked, PartialError> {
    loop {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PartialError::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Whoever had it may have given it its name, or removed it, between the two calls.
        if is_still(&path, &file)? {
            let part = Part(path);
            file.set_len(0)?;
            return Ok(Locked { part, file });
        }
    }
}
