//! What crosses beside the bytes of a value, and is named in them by its place: large bytes that are not copied.
//!
//! What an attachment is, and how it travels, is known to those who make and to those who send it, not here.

use std::{any::Any, fmt, sync::Arc};

use bytes::Bytes;

use crate::MAX_ATTACHMENTS;

/// The least that an attachment counts for where waiting is bounded by bytes: whatever it is, a process has few of them.
const LEAST_WEIGHT: u64 = 512 * 1024;

/// Something that crosses beside the bytes. Clones are the same thing.
#[derive(Clone)]
pub struct Attachment {
    what: Arc<dyn Any + Send + Sync>,
    bytes: u64,
    weight: u64,
}

/// Stands for an attachment that had no room in the receiving process.
#[derive(Debug)]
struct Lost;

impl Attachment {
    /// An attachment of so many bytes.
    #[must_use]
    pub fn new<T: Any + Send + Sync>(what: Arc<T>, bytes: u64) -> Self {
        // Whoever makes it has it too. The bytes of what others have besides are counted, or not the run's to bound.
        let is_shared = Arc::strong_count(&what) > 2;
        Self {
            what,
            bytes,
            weight: if is_shared { 0 } else { bytes }.max(LEAST_WEIGHT),
        }
    }

    /// One that was sent, and found no room in this process.
    pub(crate) fn lost() -> Self {
        Self::new(Arc::new(Lost), 0)
    }

    /// Whether it was sent and found no room in this process.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.what.is::<Lost>()
    }

    /// The attachment, if it is a `T`.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(&self.what).downcast().ok()
    }

    /// The bytes that it has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn is(&self, other: &Self) -> bool {
        Arc::as_ptr(&self.what).addr() == Arc::as_ptr(&other.what).addr()
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({} bytes)", self.bytes)
    }
}

/// The attachments of a value, or of the frame that it is in, in their order: [`MAX_ATTACHMENTS`] at most. Mostly there
/// are none, which takes one word and no memory.
#[derive(Clone, Default)]
pub struct Attachments(Option<Arc<Vec<Attachment>>>);

impl Attachments {
    /// No attachments.
    pub const NONE: Self = Self(None);

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The attachments.
    #[must_use]
    pub fn as_slice(&self) -> &[Attachment] {
        self.0.as_ref().map_or(&[], |all| &all[..])
    }

    /// The bytes of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sum(|each| each.bytes)
    }

    /// What they count for where waiting is bounded by bytes: their bytes, but those of an attachment once while several
    /// values have it, and never as few as to let a process run out of descriptors.
    #[must_use]
    #[inline]
    pub fn weight(&self) -> usize {
        match self.is_empty() {
            true => 0,
            false => self.weight_of_some(),
        }
    }

    #[cold]
    fn weight_of_some(&self) -> usize {
        let weight = self.sum(|each| each.weight);
        weight.try_into().unwrap_or(usize::MAX)
    }

    fn sum(&self, of: impl Fn(&Attachment) -> u64) -> u64 {
        let all = self.as_slice().iter();
        all.fold(0, |sum, each| sum.saturating_add(of(each)))
    }

    /// Adds one unless it is among them, and tells its place; `None` when there are as many as may be.
    pub(crate) fn attach(&mut self, attachment: Attachment) -> Option<usize> {
        let known = |all: &[Attachment]| all.iter().position(|each| each.is(&attachment));
        let place = match known(self.as_slice()) {
            Some(place) => return Some(place),
            None => self.as_slice().len(),
        };
        (place < MAX_ATTACHMENTS).then(|| {
            Arc::make_mut(self.0.get_or_insert_default()).push(attachment);
            place
        })
    }
}

/// A value that is encoded, with what crosses beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedValue {
    /// The bytes.
    pub bytes: Bytes,
    /// What they name.
    pub attachments: Attachments,
}

impl EncodedValue {
    /// What it counts for where waiting is bounded by bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.bytes.len().saturating_add(self.attachments.weight())
    }
}

impl From<Bytes> for EncodedValue {
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes,
            attachments: Attachments::NONE,
        }
    }
}

impl From<Vec<Attachment>> for Attachments {
    fn from(all: Vec<Attachment>) -> Self {
        Self((!all.is_empty()).then(|| Arc::new(all)))
    }
}

/// The same attachments: not only such that have the same bytes.
impl PartialEq for Attachments {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.as_slice(), other.as_slice());
        ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| one.is(other))
    }
}

impl Eq for Attachments {}

impl fmt::Debug for Attachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}
