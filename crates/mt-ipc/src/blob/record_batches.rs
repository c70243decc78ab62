//! Blobs as batches of Arrow records. With the feature `arrow`.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::{
    Block, Footer, MetadataVersion,
    convert::try_fb_to_schema,
    reader::{FileDecoder, read_footer_length},
    root_as_footer,
    writer::{FileWriter, IpcWriteOptions},
};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use bytes::Bytes;

use super::{Blob, BlobWriter};

/// At multiples of how many bytes the buffers of arrays begin: what the format advises, and more than any needs.
const ALIGNMENT: usize = 64;
/// The last bytes of a file: the length of its footer, and a mark.
const TRAILER_BYTES: usize = 10;
/// The first bytes of a block: a mark and the length of what tells of it.
const PREFIX_BYTES: usize = 8;

/// Tables of Arrow. With the feature `arrow`.
///
/// The bytes are those of an Arrow IPC file, which other programs read and write too.
impl Blob {
    /// The batches as an IPC file, neither compressed nor with anything lost, so that who
    /// [reads](Self::record_batches) it copies nothing.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{Float64Array, RecordBatch, StringArray, cast::AsArray, types::Float64Type};
    /// use mt_ipc::Blob;
    ///
    /// let batch = RecordBatch::try_from_iter([
    ///     ("wine", Arc::new(StringArray::from(vec!["red", "white"])) as _),
    ///     ("score", Arc::new(Float64Array::from(vec![7.5, 8.0])) as _),
    /// ])?;
    /// let table = Blob::of_record_batches(&batch.schema(), [&batch])?;
    ///
    /// // In any process that has the blob, without a copy:
    /// let batches = table.record_batches()?;
    /// assert_eq!(batches, [batch]);
    /// let scores = batches[0]["score"].as_primitive::<Float64Type>();
    /// assert_eq!(scores.value(1), 8.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ArrowError::SchemaError`] for a batch with other fields than `schema` has, [`ArrowError::IoError`] as
    /// [`copy_of`](Self::copy_of), and [`ArrowError::InvalidArgumentError`] for what the format can't hold: a field with
    /// dictionaries has the same one in all batches of a file.
    pub fn of_record_batches(
        schema: &Schema,
        batches: impl IntoIterator<Item: Borrow<RecordBatch>>,
    ) -> Result<Self, ArrowError> {
        let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?;
        let mut writer = FileWriter::try_new_with_options(BlobWriter::new(), schema, options)?;
        for batch in batches {
            let batch = batch.borrow();
            if batch.schema_ref().fields() != schema.fields() {
                let why = "a batch has other fields than the schema that was given";
                return Err(ArrowError::SchemaError(why.into()));
            }
            writer.write(batch)?;
        }
        Ok(writer.into_inner()?.finish()?)
    }

    /// The batches of an IPC file that this blob is. Their arrays are in the blob itself, and keep it.
    ///
    /// Nothing is copied of what [`of_record_batches`](Self::of_record_batches) has made. Whatever the file is from, it is
    /// checked that each array is one, for which text and offsets are read. A file of others may be compressed, which is an
    /// error, and may have buffers where an array can't use them, which are copied.
    ///
    /// # Errors
    /// [`ArrowError`]: the bytes are no such file, or a part of one.
    ///
    /// # Panics
    /// As readers of `arrow-ipc` do at some files that are whole and say of their buffers what is not so.
    pub fn record_batches(&self) -> Result<Vec<RecordBatch>, ArrowError> {
        let file = Buffer::from(Bytes::from_owner(self.clone()));
        let footer = self.footer()?;
        let schema = schema_of(&footer)?;
        let mut decoder = FileDecoder::new(schema, footer.version());
        for block in footer.dictionaries().iter().flatten() {
            decoder.read_dictionary(block, &part(&file, block)?)?;
        }
        let mut batches = Vec::new();
        for block in footer.recordBatches().iter().flatten() {
            batches.extend(decoder.read_record_batch(block, &part(&file, block)?)?);
        }
        Ok(batches)
    }

    /// The schema of an IPC file that this blob is, also of one without batches.
    ///
    /// # Errors
    /// As [`record_batches`](Self::record_batches).
    pub fn record_schema(&self) -> Result<SchemaRef, ArrowError> {
        schema_of(&self.footer()?)
    }

    fn footer(&self) -> Result<Footer<'_>, ArrowError> {
        let no_file = || broken("it is no Arrow IPC file");
        let (rest, trailer) = self.split_last_chunk().ok_or_else(no_file)?;
        let trailer: [u8; TRAILER_BYTES] = *trailer;
        let length = read_footer_length(trailer)?;
        let start = rest.len().checked_sub(length).ok_or_else(no_file)?;
        root_as_footer(&rest[start..]).map_err(|error| broken(&error.to_string()))
    }
}

fn schema_of(footer: &Footer<'_>) -> Result<SchemaRef, ArrowError> {
    let schema = footer.schema();
    let schema = schema.ok_or_else(|| broken("it tells of no schema"))?;
    match schema.endianness().equals_to_target_endianness() {
        true => Ok(try_fb_to_schema(schema)?.into()),
        false => Err(broken("it is of a machine of the other byte order")),
    }
}

/// The bytes of the file that a block says it has.
fn part(file: &Buffer, block: &Block) -> Result<Buffer, ArrowError> {
    let place = || {
        let start = usize::try_from(block.offset()).ok()?;
        let metadata = usize::try_from(block.metaDataLength()).ok()?;
        let metadata = (metadata >= PREFIX_BYTES).then_some(metadata)?;
        let body = usize::try_from(block.bodyLength()).ok()?;
        let length = metadata.checked_add(body)?;
        let end = start.checked_add(length)?;
        (end <= file.len()).then_some((start, length))
    };
    let (start, length) = place().ok_or_else(|| broken("a block is outside of it"))?;
    Ok(file.slice_with_length(start, length))
}

fn broken(why: &str) -> ArrowError {
    ArrowError::IpcError(format!("the blob can't be read as a table: {why}"))
}
