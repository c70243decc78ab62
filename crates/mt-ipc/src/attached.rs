//! The files of blobs: how they are attached to frames, and how many of their descriptors this process keeps.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use mt_proto::{Attachment, Attachments};

use crate::platform::{FileRef, OwnedFile, ReceivedFiles, as_file, file_bytes};

/// The most descriptors that blobs of this process keep: a quarter of what a process may have by default on most
/// systems. The bytes of what is beyond stay mapped, and are copied if they are sent on.
const KEPT_DESCRIPTORS: usize = 256;

static KEPT: AtomicUsize = AtomicUsize::new(0);

/// A file whose bytes are some blob's.
#[derive(Debug)]
pub(crate) struct SealedFile {
    descriptor: OwnedFile,
    /// Whether the descriptor is counted among those that are kept.
    is_kept: AtomicBool,
}

impl SealedFile {
    pub(crate) fn new(descriptor: OwnedFile) -> Arc<Self> {
        Arc::new(Self {
            descriptor,
            is_kept: AtomicBool::new(false),
        })
    }

    pub(crate) fn descriptor(&self) -> FileRef<'_> {
        as_file(&self.descriptor)
    }

    /// The file, to be kept with its blob; `None` when there are enough.
    pub(crate) fn kept(self: Arc<Self>) -> Option<Arc<Self>> {
        let one_more = |kept| (kept < KEPT_DESCRIPTORS).then_some(kept + 1);
        let count = || KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        let was_kept = self.is_kept.swap(true, Ordering::Relaxed);
        if !was_kept && count().is_err() {
            self.is_kept.store(false, Ordering::Relaxed);
            return None;
        }
        Some(self)
    }
}

impl Drop for SealedFile {
    fn drop(&mut self) {
        if *self.is_kept.get_mut() {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The files that are attached; `None` if something else is.
pub(crate) fn attached_files(attachments: &Attachments) -> Option<Vec<Arc<SealedFile>>> {
    let all = attachments.as_slice().iter();
    all.map(Attachment::get::<SealedFile>).collect()
}

/// What came with some bytes, for the frame that begins in them.
#[derive(Debug)]
pub(crate) struct AttachedBatch {
    pub(crate) all: Vec<Attachment>,
    /// There were others, for which this process has no room.
    pub(crate) cut: bool,
}

impl From<ReceivedFiles> for AttachedBatch {
    fn from(received: ReceivedFiles) -> Self {
        let attachment = |file: OwnedFile| {
            let bytes = file_bytes(as_file(&file));
            Attachment::new(SealedFile::new(file), bytes)
        };
        Self {
            all: received.files.into_iter().map(attachment).collect(),
            cut: received.cut,
        }
    }
}
