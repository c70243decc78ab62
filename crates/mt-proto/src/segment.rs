//! A run: consecutive items, or the results of consecutive items, in one frame.
//!
//! Body: index of the first item (8 bytes), how many (4), then the records. Items that finish in order
//! make long runs and share one header; items that finish in any order make short ones.

use bytes::{Buf, Bytes};
use serde::Serialize;

use crate::{
    DecodeError, EncodeError, Frame, HEADER_BYTES, Heading, ItemIndex, Kind, RecordTag, Records,
    records::push_outcome,
};

/// The bytes of a run's own header.
pub(crate) const RUN_HEADER: usize = 12;

/// The body size at which a [`SegmentWriter`] closes a run and opens the next.
const RUN_BYTES: usize = 64 * 1024;

/// Consecutive items, or their results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The index of the first.
    pub first: ItemIndex,
    /// How many; at least 1.
    pub count: u32,
    /// One record each. Not checked yet: see [`Records::check`].
    pub records: Bytes,
}

impl Segment {
    /// The index after the last.
    #[must_use]
    pub fn end(&self) -> ItemIndex {
        self.first.plus(u64::from(self.count))
    }

    pub(crate) fn into_frame(self, kind: Kind) -> Frame {
        let mut head = [0; RUN_HEADER];
        head[..8].copy_from_slice(&self.first.0.to_le_bytes());
        head[8..].copy_from_slice(&self.count.to_le_bytes());
        Frame {
            head: Some(head),
            ..Frame::new(kind, self.records)
        }
    }

    pub(crate) fn from_body(mut body: Bytes) -> Result<Self, DecodeError> {
        if body.len() < RUN_HEADER {
            return Err(DecodeError::Short("run header is cut"));
        }
        let first = ItemIndex(body.get_u64_le());
        let count = body.get_u32_le();
        if count == 0 {
            return Err(DecodeError::Malformed("run of no items"));
        }
        if first.0.checked_add(u64::from(count)).is_none() {
            return Err(DecodeError::Malformed("run past the last index"));
        }
        Records::new(body.clone()).check(count)?;
        Ok(Self {
            first,
            count,
            records: body,
        })
    }
}

/// Packs results into [`Kind::Results`] frames as they come, in one buffer.
///
/// A result that continues the open run costs its record and no more. What does not encode leaves
/// the buffer as it was.
#[derive(Debug, Default)]
pub struct SegmentWriter {
    bytes: Vec<u8>,
    open: Option<OpenRun>,
}

/// How far a [`SegmentWriter`] was.
#[derive(Debug, Clone, Copy)]
pub struct RunMark {
    bytes: usize,
    open: Option<OpenRun>,
}

#[derive(Debug, Clone, Copy)]
struct OpenRun {
    start: usize,
    next: ItemIndex,
    count: u32,
}

impl SegmentWriter {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the outcome of item `index`.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing was appended.
    #[inline]
    pub fn push<T: Serialize + 'static>(
        &mut self,
        index: ItemIndex,
        tag: RecordTag,
        value: &T,
        limit: usize,
    ) -> Result<(), EncodeError> {
        self.push_outcome(index, Heading { tag, counts: &[] }, value, limit)
    }

    /// [`push`](Self::push) of an outcome with what its call has counted.
    ///
    /// # Errors
    /// [`EncodeError`]; nothing was appended.
    #[inline]
    pub fn push_outcome<T: Serialize + 'static>(
        &mut self,
        index: ItemIndex,
        heading: Heading<'_>,
        value: &T,
        limit: usize,
    ) -> Result<(), EncodeError> {
        let run = self.run_for(index);
        if let Err(error) = push_outcome(&mut self.bytes, heading, value, limit) {
            if run.count == 0 {
                self.close_run();
            }
            return Err(error);
        }
        self.open = Some(OpenRun {
            next: run.next.plus(1),
            count: run.count + 1,
            ..run
        });
        Ok(())
    }

    /// How far the writer is, for [`rewind`](Self::rewind).
    #[must_use]
    pub fn mark(&self) -> RunMark {
        RunMark {
            bytes: self.bytes.len(),
            open: self.open,
        }
    }

    /// Takes back what was pushed since `mark`, if nothing was taken out since.
    pub fn rewind(&mut self, mark: RunMark) {
        self.bytes.truncate(mark.bytes);
        self.open = mark.open;
    }

    /// The bytes waiting.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The frames so far, leaving the writer empty: complete [`Kind::Results`] frames one after the
    /// other, for [`Outgoing::encoded`](crate::Outgoing::encoded).
    pub fn take(&mut self) -> Bytes {
        // The next load is likely to be about as long as this one.
        let mut encoded = Vec::with_capacity(self.bytes.len().min(RUN_BYTES));
        self.drain_into(&mut encoded);
        encoded.into()
    }

    /// Moves the frames so far behind those in `encoded`, leaving the writer empty. Buffers change hands
    /// instead of bytes where that can be.
    pub fn drain_into(&mut self, encoded: &mut Vec<u8>) {
        self.close_run();
        if encoded.is_empty() {
            std::mem::swap(&mut self.bytes, encoded);
        } else {
            encoded.append(&mut self.bytes);
        }
    }

    /// The run that item `index` continues, or a new one.
    #[inline]
    fn run_for(&mut self, index: ItemIndex) -> OpenRun {
        match self.open {
            Some(run) if run.next == index && self.bytes.len() - run.start < RUN_BYTES => run,
            _ => self.open_run(index),
        }
    }

    fn open_run(&mut self, index: ItemIndex) -> OpenRun {
        self.close_run();
        let run = OpenRun {
            start: self.bytes.len(),
            next: index,
            count: 0,
        };
        self.bytes
            .extend_from_slice(&[0; HEADER_BYTES + RUN_HEADER]);
        let body = run.start + HEADER_BYTES;
        self.bytes[body..body + 8].copy_from_slice(&index.0.to_le_bytes());
        self.open = Some(run);
        run
    }

    /// Fills in what was not known when the run was opened; drops a run that stayed empty.
    fn close_run(&mut self) {
        let Some(run) = self.open.take() else { return };
        if run.count == 0 {
            self.bytes.truncate(run.start);
            return;
        }
        let body = run.start + HEADER_BYTES;
        let length = (self.bytes.len() - body) as u32;
        self.bytes[run.start..run.start + 4].copy_from_slice(&length.to_le_bytes());
        self.bytes[run.start + 4] = Kind::Results as u8;
        self.bytes[body + 8..body + 12].copy_from_slice(&run.count.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::{FrameDecoder, FromExecutor, Limits, Outgoing};

    fn runs_of(writer: &mut SegmentWriter) -> Vec<(u64, u32)> {
        let mut outgoing = Outgoing::encoded(writer.take());
        let mut wire = BytesMut::new();
        while let Some(unit) = outgoing.next_unit() {
            wire.extend_from_slice(unit.head());
            wire.extend_from_slice(&unit.body);
        }
        let mut decoder = FrameDecoder::new(Limits::default());
        let mut runs = Vec::new();
        while let Some(frame) = decoder.decode(&mut wire).expect("well-formed") {
            match FromExecutor::from_frame(frame).expect("a message") {
                FromExecutor::Results(run) => runs.push((run.first.0, run.count)),
                other => panic!("{other:?}"),
            }
        }
        runs
    }

    /// Appends a short result, which encodes.
    fn push(writer: &mut SegmentWriter, index: u64) {
        push_of(writer, index, &index, 100).expect("encodes");
    }

    fn push_of<T: Serialize + 'static>(
        writer: &mut SegmentWriter,
        index: u64,
        value: &T,
        limit: usize,
    ) -> Result<(), EncodeError> {
        writer.push(ItemIndex(index), RecordTag::Value, value, limit)
    }

    #[test]
    fn neighbours_share_a_run_and_strangers_do_not() {
        let mut writer = SegmentWriter::new();
        for index in [5, 6, 7, 3, 9, 10] {
            push(&mut writer, index);
        }
        assert_eq!(runs_of(&mut writer), [(5, 3), (3, 1), (9, 2)]);
        assert!(writer.is_empty());
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace() {
        let mut writer = SegmentWriter::new();
        push(&mut writer, 1);
        let mark = writer.mark();
        push(&mut writer, 2);
        push(&mut writer, 9);
        writer.rewind(mark);
        push(&mut writer, 2);
        assert_eq!(runs_of(&mut writer), [(1, 2)]);
    }

    #[test]
    fn what_does_not_encode_leaves_no_trace() {
        let mut writer = SegmentWriter::new();
        push(&mut writer, 1);
        let long = "x".repeat(50);
        for index in [2, 8] {
            assert!(push_of(&mut writer, index, &long, 10).is_err());
        }
        push(&mut writer, 9);
        assert_eq!(runs_of(&mut writer), [(1, 1), (9, 1)]);
    }

    #[test]
    fn a_result_longer_than_a_chunk_travels_in_chunks_beside_small_ones() {
        let mut writer = SegmentWriter::new();
        let long = "x".repeat(3 * crate::CHUNK_BYTES);
        push(&mut writer, 0);
        push_of(&mut writer, 1, &long, usize::MAX).expect("encodes");
        push(&mut writer, 2);
        assert_eq!(runs_of(&mut writer), [(0, 2), (2, 1)]);
    }
}
