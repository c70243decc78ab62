//! Every message that a frame may be, in both directions.

use std::fmt::Debug;

use mt_proto::{
    DecodeError, Frame, FromBee, FromExecutor, FromWorker, HiveWriter, Setup, ToBee, ToExecutor,
    ToWorker, decode_strict, hive_messages,
};
use mt_test_kit::Trail;
use serde::{Serialize, de::DeserializeOwned};

use crate::{counting::peak_of, walk};

/// What a message may take beside twice its bytes: the words of an error, and the 64 slowest items.
const PARTS: usize = 64 * 24 + 1024;

/// Does what decodes a frame, which holds no more than it may.
fn bounded<T>(frame: &Frame, decode: impl FnOnce(Frame) -> T) -> T {
    let bytes = frame.body_bytes();
    let mut decoded = None;
    let held = peak_of(|| decoded = Some(decode(frame.clone())));
    assert!(held <= 2 * bytes + PARTS, "{held} for {bytes}");
    decoded.expect("it was called")
}

/// Reads a frame as every message of every role, and what is read says the same when it is sent on.
pub(crate) fn read_all(frame: Frame, trail: &mut Trail) {
    both_ways(
        &frame,
        trail,
        FromWorker::from_frame,
        FromWorker::into_frame,
    );
    both_ways(&frame, trail, ToWorker::from_frame, ToWorker::into_frame);
    both_ways(
        &frame,
        trail,
        ToExecutor::from_frame,
        ToExecutor::into_frame,
    );
    let said = both_ways(
        &frame,
        trail,
        FromExecutor::from_frame,
        FromExecutor::into_frame,
    );
    if let Some(FromExecutor::Results(segment)) = said {
        walk(&segment.records, trail);
    }
    hive::<ToBee>(&frame, trail);
    hive::<FromBee>(&frame, trail);
    let setup = |frame: Frame| decode_strict::<Setup>(&frame.into_body()).is_ok();
    trail.note(bounded(&frame, setup));
    bounded(&frame, |frame| walk(&frame.into_body(), trail));
}

fn both_ways<M: PartialEq + Debug + Clone>(
    frame: &Frame,
    trail: &mut Trail,
    read: impl Fn(Frame) -> Result<M, DecodeError>,
    write: impl Fn(M) -> Frame,
) -> Option<M> {
    match bounded(frame, &read) {
        Ok(message) => {
            let again = write(message.clone());
            assert_eq!(again.kind, frame.kind);
            assert_eq!(read(again), Ok(message.clone()));
            trail.note(0);
            Some(message)
        }
        Err(error) => {
            trail.note(std::mem::discriminant(&error));
            None
        }
    }
}

fn hive<M: Serialize + DeserializeOwned + PartialEq + Debug>(frame: &Frame, trail: &mut Trail) {
    bounded(frame, |frame| hive_messages::<M>(frame).for_each(drop));
    let read: Result<Vec<M>, DecodeError> = hive_messages(frame.clone()).collect();
    let messages = match read {
        Ok(messages) => messages,
        Err(error) => return trail.note(std::mem::discriminant(&error)),
    };
    let mut writer = HiveWriter::default();
    for message in &messages {
        writer
            .push(message, usize::MAX >> 1)
            .expect("it came from there");
        let encoded = mt_proto::encode(message, usize::MAX >> 1).expect("the same");
        trail.note(encoded.first());
    }
    let again: Result<Vec<M>, DecodeError> = hive_messages(writer.take()).collect();
    assert_eq!(again, Ok(messages));
}
