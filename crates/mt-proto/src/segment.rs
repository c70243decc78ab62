//! A run: consecutive items, or the results of consecutive items, in one frame.
//!
//! Body: index of the first item (8 bytes), how many (4), then the records. Items that finish in order
//! make long runs and share one header; items that finish in any order make short ones.

mod encoded;
mod run;

use std::mem;

use bytes::{Buf, Bytes};
use serde::Serialize;

use crate::{
    Attachments, DecodeError, EncodeError, Frame, Heading, ItemIndex, Kind, RecordTag, Records,
    encode::is_plain, records::push_outcome,
};

pub use encoded::EncodedFrames;
pub(crate) use encoded::{AttachedFrame, weight};
pub(crate) use run::RUN_HEADER;
use run::{OpenRun, RUN_BYTES, RUN_START};

/// Consecutive items, or their results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The index of the first.
    pub first: ItemIndex,
    /// How many; at least 1.
    pub count: u32,
    /// One record each. Not checked yet: see [`Records::check`].
    pub records: Bytes,
    /// What crosses beside the record. Only a single one has any.
    pub attachments: Attachments,
}

impl Segment {
    /// The index after the last.
    #[must_use]
    pub fn end(&self) -> ItemIndex {
        self.first.plus(u64::from(self.count))
    }

    /// What it counts for where waiting is bounded by bytes.
    #[must_use]
    #[inline]
    pub fn weight(&self) -> usize {
        self.records.len().saturating_add(self.attachments.weight())
    }

    pub(crate) fn into_frame(self, kind: Kind) -> Frame {
        let mut head = [0; RUN_HEADER];
        head[..8].copy_from_slice(&self.first.0.to_le_bytes());
        head[8..].copy_from_slice(&self.count.to_le_bytes());
        Frame {
            head: Some(head),
            attachments: self.attachments,
            ..Frame::new(kind, self.records)
        }
    }

    pub(crate) fn from_frame(mut frame: Frame) -> Result<Self, DecodeError> {
        let attachments = mem::take(&mut frame.attachments);
        let mut body = frame.into_body();
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
        if count > 1 && !attachments.is_empty() {
            return Err(DecodeError::Attachments("a run of several items has some"));
        }
        Records::new(body.clone()).check(count)?;
        Ok(Self {
            first,
            count,
            records: body,
            attachments,
        })
    }
}

/// Packs results into [`Kind::Results`] frames as they come, in one buffer.
///
/// A result that continues the open run costs its record and no more. What does not encode leaves
/// the buffer as it was. A result with attachments is a run by itself.
#[derive(Debug, Default)]
pub struct SegmentWriter {
    bytes: Vec<u8>,
    open: Option<OpenRun>,
    attached: Vec<AttachedFrame>,
}

/// How far a [`SegmentWriter`] was.
#[derive(Debug, Clone, Copy)]
pub struct RunMark {
    bytes: usize,
    open: Option<OpenRun>,
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
        self.push_outcome(index, Heading::of(tag), value, limit)
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
        let start = self.bytes.len();
        let mut attachments = Attachments::NONE;
        // Known when it is compiled: a plain value costs nothing for it.
        let beside = (!is_plain::<T>()).then_some(&mut attachments);
        if let Err(error) = push_outcome(&mut self.bytes, heading, value, limit, beside) {
            if run.count == 0 {
                self.close_run();
            }
            return Err(error);
        }
        if !is_plain::<T>() && !attachments.is_empty() {
            self.set_apart(index, start, attachments);
            return Ok(());
        }
        self.open = Some(OpenRun {
            next: run.next.plus(1),
            count: run.count + 1,
            ..run
        });
        Ok(())
    }

    /// Makes the record that begins there, and is the last, a run of its own.
    #[cold]
    fn set_apart(&mut self, index: ItemIndex, start: usize, attachments: Attachments) {
        let record = self.bytes.split_off(start);
        self.close_run();
        let run = self.open_run(index);
        self.bytes.extend(record);
        self.open = Some(OpenRun {
            next: index.plus(1),
            count: 1,
            ..run
        });
        self.close_run();
        self.attached.push(AttachedFrame {
            start: run.start,
            attachments,
        });
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
        self.attached.retain(|frame| frame.start < mark.bytes);
    }

    /// What waits, as it counts where waiting is bounded by bytes.
    #[must_use]
    #[inline]
    pub fn weight(&self) -> usize {
        weight(&self.bytes, &self.attached)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The frames so far, leaving the writer empty.
    pub fn take(&mut self) -> EncodedFrames {
        let mut encoded = EncodedFrames {
            // The next load is likely to be about as long as this one.
            bytes: Vec::with_capacity(self.bytes.len().min(RUN_BYTES)),
            ..EncodedFrames::default()
        };
        self.drain_into(&mut encoded);
        encoded.take(0)
    }

    /// Moves the frames so far behind those in `encoded`, leaving the writer empty. A run that continues the last one there
    /// becomes a part of it. Buffers change hands instead of bytes where that can be.
    pub fn drain_into(&mut self, encoded: &mut EncodedFrames<Vec<u8>>) {
        let last = self.open.filter(|run| run.count > 0);
        self.close_run();
        if self.is_empty() {
            return;
        }
        let before = encoded.bytes.len();
        if before == 0 {
            mem::swap(&mut self.bytes, &mut encoded.bytes);
            encoded.last = last;
        } else if let Some(whole) = last.filter(|run| run.start == 0)
            && let Some(longer) = encoded.last.and_then(|run| run.and(whole, before))
        {
            encoded.bytes.extend_from_slice(&self.bytes[RUN_START..]);
            self.bytes.clear();
            longer.fill_in(&mut encoded.bytes);
            encoded.last = Some(longer);
        } else {
            encoded.bytes.append(&mut self.bytes);
            encoded.last = last.map(|run| run.moved(before));
        }
        let moved = self.attached.drain(..);
        encoded.attached.extend(moved.map(|frame| AttachedFrame {
            start: before + frame.start,
            ..frame
        }));
    }

    /// The run that item `index` continues, or a new one.
    #[inline]
    fn run_for(&mut self, index: ItemIndex) -> OpenRun {
        match self.open {
            Some(run) if run.takes(index, self.bytes.len()) => run,
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
        self.bytes.extend_from_slice(&[0; RUN_START]);
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
        run.fill_in(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::BytesMut;

    use super::*;
    use crate::{Attachment, FrameDecoder, FromExecutor, Limits, Outgoing};

    fn runs_of(writer: &mut SegmentWriter) -> Vec<(u64, u32)> {
        runs_in(writer.take())
    }

    fn runs_in(frames: EncodedFrames) -> Vec<(u64, u32)> {
        let mut outgoing = Outgoing::encoded(frames);
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

    /// Also those that were moved one by one: slow ones are.
    #[test]
    fn neighbours_that_are_moved_one_after_the_other_share_a_run() {
        let mut writer = SegmentWriter::new();
        let mut encoded = EncodedFrames::default();
        let mut put = |indices: &[u64]| {
            indices.iter().for_each(|&index| push(&mut writer, index));
            writer.drain_into(&mut encoded);
            assert!(writer.is_empty());
        };
        for indices in [
            &[1][..],
            &[2, 3],
            &[],
            &[4],
            &[9],
            &[10, 20],
            &[21],
            &[4, 5],
        ] {
            put(indices);
        }
        let runs = [(1, 4), (9, 1), (10, 1), (20, 2), (4, 2)];
        assert_eq!(runs_in(encoded.take(0)), runs);
        push(&mut writer, 6);
        writer.drain_into(&mut encoded);
        assert_eq!(runs_in(encoded.take(0)), [(6, 1)]);
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

    /// Like a type whose bytes may be attached.
    struct Large(u64);

    impl Serialize for Large {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let attachment = Attachment::new(Arc::new(self.0), 1 << 20);
            crate::serialize_attachable(&[7], Some(attachment), serializer)
        }
    }

    fn attachments_of(frames: EncodedFrames) -> Vec<(u64, u32, Option<u64>)> {
        let mut outgoing = Outgoing::encoded(frames);
        let mut decoder = FrameDecoder::new(Limits::default());
        let mut found = Vec::new();
        while let Some(unit) = outgoing.next_unit() {
            let mut wire = BytesMut::from(unit.head());
            wire.extend_from_slice(&unit.body);
            let attached = unit.attachments.as_slice().to_vec();
            if !attached.is_empty() {
                decoder.attach(attached, false);
            }
            while let Some(frame) = decoder.decode(&mut wire).expect("well-formed") {
                let Ok(FromExecutor::Results(run)) = FromExecutor::from_frame(frame) else {
                    panic!("not results");
                };
                let first = run.attachments.as_slice().first();
                let number = first.map(|it| *it.get::<u64>().expect("a number"));
                found.push((run.first.0, run.count, number));
            }
        }
        assert_eq!(outgoing.len_bytes(), 0);
        found
    }

    #[test]
    fn what_has_attachments_is_a_run_by_itself_in_its_place() {
        let mut writer = SegmentWriter::new();
        let mut encoded = EncodedFrames::default();
        push(&mut writer, 0);
        push_of(&mut writer, 1, &Large(11), usize::MAX).expect("encodes");
        push_of(&mut writer, 2, &Large(12), usize::MAX).expect("encodes");
        assert!(writer.weight() > 2 << 20);
        writer.drain_into(&mut encoded);
        assert!(writer.weight() == 0 && encoded.weight() > 2 << 20);
        let mark = writer.mark();
        push_of(&mut writer, 3, &Large(0), usize::MAX).expect("encodes");
        writer.rewind(mark);
        push_of(&mut writer, 3, &Large(13), usize::MAX).expect("encodes");
        push(&mut writer, 4);
        push(&mut writer, 5);
        writer.drain_into(&mut encoded);
        assert_eq!(
            attachments_of(encoded.take(0)),
            [
                (0, 1, None),
                (1, 1, Some(11)),
                (2, 1, Some(12)),
                (3, 1, Some(13)),
                (4, 2, None)
            ]
        );
        assert!(encoded.is_empty() && encoded.weight() == 0);
    }

    /// The user's limit counts what is attached, the wire's own does not.
    #[test]
    fn what_is_attached_counts_where_a_limit_is_set() {
        let mut writer = SegmentWriter::new();
        let mut push = |limit| push_of(&mut writer, 0, &Large(1), limit);
        let limit = 1 << 20;
        assert_eq!(push(limit), Err(EncodeError::TooLarge { limit }));
        assert_eq!(push(limit + 100), Ok(()));
        assert_eq!(push(crate::MAX_RECORD_BYTES), Ok(()));
        assert_eq!(attachments_of(writer.take()).len(), 2);
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
