//! From what a worker or the dispatch machine says of an item to the item's outcome.

use mt_proto::{
    Attachments, DecodeError, ItemIndex, ItemType, Record, RecordTag, Records, Tally,
    decode_item_attached, decode_strict, guarded,
};

use crate::{
    Task, TaskError, TaskErrorKind, Wire, counter,
    dispatch::{Apart, End, Results},
};

pub(crate) type Outcome<T> = Result<<T as Task>::Output, TaskError<<T as Task>::Error>>;

/// Decodes one outcome that is about to be handed out, and adds what its call has counted. A
/// `Deserialize` is user code that may panic on what a worker has sent.
#[inline]
pub(crate) fn decode_outcome<T: Task>(
    index: ItemIndex,
    tag: RecordTag,
    tally: Tally<'_>,
    value: &[u8],
    attachments: &Attachments,
) -> Outcome<T> {
    counter::settle(tally);
    let kind = match tag {
        RecordTag::Value => match decode_user(value, attachments) {
            Ok(value) => return Ok(value),
            Err(message) => Err(message),
        },
        RecordTag::Raised => decode_user(value, attachments).map(TaskErrorKind::Raised),
        // guarded: a value of ours.
        RecordTag::Failure => decode_strict(value)
            .map(TaskErrorKind::of_failure)
            .map_err(|error| error.to_string()),
    };
    let kind = kind.unwrap_or_else(TaskErrorKind::Undecodable);
    Err(TaskError::new(index, kind).with_stdout(tally.stdout()))
}

/// [`decode_outcome`] of one that was taken out of its segment.
pub(crate) fn record_outcome<T: Task>(index: ItemIndex, record: &Record) -> Outcome<T> {
    let (tag, tally) = (record.tag, record.tally());
    decode_outcome::<T>(index, tag, tally, &record.value, &record.attachments)
}

/// The value is moved as it is: moved with the error that might be in its place, a number takes as long as all the rest.
#[inline]
fn decode_user<V: Wire>(value: &[u8], attachments: &Attachments) -> Result<V, String> {
    let mut decoded = None;
    let ended = guarded(|| decoded = Some(decode_item_attached(value, attachments)));
    if let Err(panic) = ended {
        return Err(undecodable(&panic.into()));
    }
    match decoded {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(undecodable(&error)),
        None => unreachable!("it is there unless decoding has panicked"),
    }
}

#[cold]
fn undecodable(error: &DecodeError) -> String {
    error.to_string()
}

pub(crate) fn apart_outcome<T: Task>(apart: Apart) -> Outcome<T> {
    let Apart {
        index,
        attempts,
        payload,
        stdout,
        end,
    } = apart;
    let outcome = match end {
        End::Told(record) => record_outcome::<T>(index, &record),
        End::Lost(lost) => {
            let error = TaskError::new(index, lost.map(|never| match *never {}));
            Err(error.with_stdout(stdout))
        }
    };
    outcome.map_err(|error| {
        let sent = |payload| (payload, ItemType::of::<T::Input>());
        error.with_history(attempts, payload.map(sent))
    })
}

/// Outcomes that came together and are being taken apart.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    pub(crate) records: Records,
    pub(crate) next: ItemIndex,
    left: u32,
    whole: Emptied,
}

/// A delivery all of which is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Emptied {
    pub(crate) items: u32,
    pub(crate) bytes: usize,
}

impl OpenSegment {
    pub(crate) fn new(segment: Results) -> Self {
        let whole = Emptied {
            items: segment.count,
            bytes: segment.records.len(),
        };
        Self {
            records: Records::new(segment.records),
            next: segment.first,
            left: segment.count,
            whole,
        }
    }

    /// One more record was taken. Returns what all of them were when it was the last.
    #[inline]
    pub(crate) fn step(&mut self) -> Option<Emptied> {
        self.next = self.next.plus(1);
        self.left -= 1;
        (self.left == 0).then_some(self.whole)
    }
}
