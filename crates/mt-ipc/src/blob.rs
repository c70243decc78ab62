//! Large bytes that are handed to other processes without being copied.

#[cfg(feature = "ndarray")]
mod arrays;
mod crossing;
#[cfg(feature = "arrow")]
mod record_batches;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt,
    hash::{Hash, Hasher},
    io::{self, Read},
    ops::Deref,
    sync::Arc,
};

#[cfg(feature = "ndarray")]
pub use arrays::ViewError;
pub use writer::BlobWriter;

use crate::{
    attached::SealedFile,
    platform::{FileDraft, Finished, Memory, WritableMemory},
};

/// Bytes that nobody changes any more, and that other processes map instead of being sent them.
///
/// A clone is the same bytes. They begin at a multiple of 4096, in every process, so that they can be looked at as
/// numbers. From [`FILE_BYTES`](Self::FILE_BYTES) on, the bytes are a file in memory which has no name and is gone with
/// the last that has it; fewer are in ordinary memory, and are sent as they are.
///
/// ```
/// use mt_ipc::Blob;
///
/// let squares = Blob::filled(1 << 20, |bytes| {
///     for (n, byte) in bytes.iter_mut().enumerate() {
///         *byte = (n * n) as u8;
///     }
///     Ok(())
/// })?;
/// assert_eq!(squares[5], 25);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// In a `#[shared]` value, or in a context's config, of a pool's run every worker maps them; in an item its worker does,
/// and in a result, or an error, whoever takes that out. An item that is tried again is sent the same file. Worker bees of a
/// hive map those in what they are made of; in what their tasks take, return and tell blobs cross as bytes so far.
///
/// With the feature `ndarray` a blob is looked at as an array of numbers, with the feature `arrow` as a table; see
/// `Blob::view` and `Blob::record_batches`.
///
/// The system provides the pages of a new file one by one, so up to some mebibytes a byte vector that is made, sent once
/// and dropped is about as quick. Blobs are for what several read, what is passed on, and what is larger.
///
/// A process has few descriptors, so a blob counts as at least 512 KiB where a run bounds the bytes that wait. One that
/// finds none is an error of its item: of kind `Unserialisable` where it was to be made or sent, `Undecodable` where it
/// came. Nothing else is lost.
///
/// # Platforms
/// Linux, Android and FreeBSD have files that can be sealed against changes. Elsewhere whoever receives a blob reads it
/// into memory of its own, once.
#[derive(Clone)]
pub struct Blob(Arc<BlobBytes>);

#[derive(Debug)]
struct BlobBytes {
    memory: Memory,
    /// What is handed on; `None` when there are few bytes, or many files.
    file: Option<Arc<SealedFile>>,
}

impl Blob {
    /// The fewest bytes that are a file of their own. Below it, making, sending and mapping a file takes longer than to
    /// copy the bytes.
    pub const FILE_BYTES: usize = 128 * 1024;

    /// A copy of `bytes`. Where they are still to be made, [`filled`](Self::filled) and [`BlobWriter`] save the copy; but
    /// writing bytes to a file takes half the time of making them in it, where the system has to provide page by page.
    ///
    /// # Errors
    /// The system has no memory, or no descriptor, to give just now.
    pub fn copy_of(bytes: &[u8]) -> io::Result<Self> {
        if bytes.len() >= Self::FILE_BYTES {
            return Ok(Self::of(FileDraft::copy_of(bytes)?));
        }
        Self::filled(bytes.len(), |blob| {
            blob.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// `len` bytes that `fill` writes in place; they are zeros when it is called.
    ///
    /// # Errors
    /// As [`copy_of`](Self::copy_of), and those of `fill`.
    pub fn filled(len: usize, fill: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Self> {
        if len >= Self::FILE_BYTES {
            return Ok(Self::of(FileDraft::filled(len, fill)?));
        }
        let mut memory = WritableMemory::zeroed(len)?;
        fill(&mut memory)?;
        Ok(Self(Arc::new(BlobBytes {
            memory: memory.freeze(),
            file: None,
        })))
    }

    /// All that `reader` has. Of a length that is known, [`filled`](Self::filled) with `read_exact` needs no copy.
    ///
    /// # Errors
    /// As [`copy_of`](Self::copy_of), and those of `reader`.
    pub fn read_from(mut reader: impl Read) -> io::Result<Self> {
        let mut writer = BlobWriter::new();
        io::copy(&mut reader, &mut writer)?;
        writer.finish()
    }

    /// Whether the bytes are a file in memory, which is mapped.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.0.memory.is_mapped()
    }

    fn of(Finished { memory, file }: Finished) -> Self {
        let file = file.map(SealedFile::new).and_then(SealedFile::kept);
        Self(Arc::new(BlobBytes { memory, file }))
    }
}

impl Deref for Blob {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0.memory
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self[..] == other[..]
    }
}

impl Eq for Blob {}

impl Hash for Blob {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

/// Tells the length and the first bytes.
impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let first = self.iter().take(SHOWN);
        write!(f, "Blob({} bytes: ", self.len())?;
        first.clone().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(if self.len() > SHOWN { "…)" } else { ")" })
    }
}
