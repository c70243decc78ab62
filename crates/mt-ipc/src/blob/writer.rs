//! A blob that is written piece by piece.

use std::{
    io::{self, Write},
    mem,
};

use super::Blob;
use crate::platform::FileDraft;

/// Pieces shorter than this are put together before they are written.
const BUFFER_BYTES: usize = Blob::FILE_BYTES;

/// Makes a [`Blob`] whose length is not known before.
///
/// ```
/// use std::io::Write;
///
/// use mt_ipc::BlobWriter;
///
/// let mut writer = BlobWriter::new();
/// for n in 0..100_000 {
///     writeln!(writer, "{n}")?;
/// }
/// let text = writer.finish()?;
/// assert!(text.ends_with(b"\n99999\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct BlobWriter {
    /// What has come last.
    buffer: Vec<u8>,
    /// All before that, once it is much.
    draft: Option<FileDraft>,
}

impl BlobWriter {
    /// A blob of no bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes that were written.
    ///
    /// # Errors
    /// As [`Blob::copy_of`].
    pub fn finish(mut self) -> io::Result<Blob> {
        let rest = mem::take(&mut self.buffer);
        match self.draft {
            None => Blob::copy_of(&rest),
            Some(mut draft) => {
                draft.write_all(&rest)?;
                Ok(Blob::of(draft.finish()?))
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let draft = match &mut self.draft {
            Some(draft) => draft,
            None => self.draft.insert(FileDraft::new()?),
        };
        draft.write_all(bytes)
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() >= BUFFER_BYTES && !self.buffer.is_empty() {
            let mut full = mem::take(&mut self.buffer);
            self.append(&full)?;
            full.clear();
            self.buffer = full;
        }
        if bytes.len() >= BUFFER_BYTES {
            self.append(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    /// The bytes are there for others when the blob is finished, not before.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
