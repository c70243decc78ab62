//! How a blob crosses: as a file beside the other bytes where that can be, as bytes otherwise.

use std::{io, sync::Arc};

use mt_proto::{Arrived, Attachment, deserialize_attachable, serialize_attachable};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};

use super::{Blob, BlobBytes};
use crate::{
    attached::SealedFile,
    platform::{file_of, received},
};

impl Blob {
    /// The file to be handed on; `None` when there are too few bytes.
    fn attachment(&self) -> io::Result<Option<Attachment>> {
        if self.len() < Self::FILE_BYTES {
            return Ok(None);
        }
        let file = match &self.0.file {
            Some(file) => Arc::clone(file),
            None => SealedFile::new(file_of(self)?),
        };
        Ok(Some(Attachment::new(file, self.len() as u64)))
    }

    fn arrived(arrived: Arrived<'_>) -> Result<Self, String> {
        let made = match arrived {
            Arrived::Bytes(bytes) => Self::copy_of(bytes),
            Arrived::Attached(attachment, len) => Self::received(&attachment, len),
        };
        made.map_err(|error| error.to_string())
    }

    fn received(attachment: &Attachment, len: u64) -> io::Result<Self> {
        if attachment.is_lost() {
            let why = "this process had no descriptor left for a blob (`ulimit -n`)";
            return Err(io::Error::other(why));
        }
        let file = attachment.get::<SealedFile>();
        let file = file.ok_or(io::ErrorKind::InvalidData)?;
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let memory = received(file.descriptor(), len)?;
        // What is no mapping is a copy, which is handed on by another file.
        let file = memory.is_mapped().then_some(file);
        let file = file.and_then(SealedFile::kept);
        Ok(Self(Arc::new(BlobBytes { memory, file })))
    }
}

/// Between processes of this library a blob crosses as a file, where it has so many bytes and whoever sends it takes
/// files; to any other serializer it is a byte string.
impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attachment = match serializer.is_human_readable() {
            true => None,
            false => self.attachment().map_err(S::Error::custom)?,
        };
        serialize_attachable(self, attachment, serializer)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_attachable(deserializer, Self::arrived)
    }
}
