//! Well-framed bodies that say nothing sensible.

use std::sync::Arc;

use bytes::Bytes;
use mt_proto::{
    Attachment, Attachments, CapturedStdout, DecodeError, Frame, FromExecutor, FromWorker, Kind,
    MAX_CONTROL_BYTES, MAX_TRACE_EVENTS, MAX_TRACE_FIELDS, PreparedId, RecordTag, Setup,
    ToExecutor, ToWorker, TraceEvent, TraceLevel, decode_strict, encode,
};

#[test]
fn messages_of_the_other_direction_are_refused() {
    use Kind::*;
    let upwards = [Hello, Ready, SetupFailed, Trace, Rested, Bye];
    let downwards = [Welcome, Refused, Assign, Rest];
    let empty = |kind| Frame::new(kind, Bytes::new());
    for kind in upwards.into_iter().chain([Results, Notice, Exit]) {
        let wrong = DecodeError::WrongDirection(kind);
        assert_eq!(ToWorker::from_frame(empty(kind)), Err(wrong.clone()));
        assert_eq!(ToExecutor::from_frame(empty(kind)), Err(wrong));
    }
    for kind in downwards
        .into_iter()
        .chain([Patience, Items, Withdraw, Prepare, Forget])
    {
        let wrong = DecodeError::WrongDirection(kind);
        assert_eq!(FromWorker::from_frame(empty(kind)), Err(wrong.clone()));
        assert_eq!(FromExecutor::from_frame(empty(kind)), Err(wrong));
    }
    for kind in upwards.into_iter().chain(downwards) {
        assert!(!kind.is_of_role(), "{kind:?}");
    }
    for kind in [
        Results, Notice, Exit, Patience, Items, Withdraw, Prepare, Forget, Role,
    ] {
        assert!(
            kind.is_of_role(),
            "{kind:?} is left to the role, which knows its own"
        );
    }
}

fn run(first: u64, count: u32, records: &[u8]) -> Result<FromExecutor, DecodeError> {
    let body = [&first.to_le_bytes()[..], &count.to_le_bytes(), records].concat();
    let items = ToExecutor::from_frame(Frame::new(Kind::Items, body.clone()));
    let results = FromExecutor::from_frame(Frame::new(Kind::Results, body));
    let refused = (items.as_ref().err(), results.as_ref().err());
    assert_eq!(refused.0, refused.1, "both directions agree");
    results
}

fn record(tag: u32, value: &[u8]) -> Vec<u8> {
    let header = (tag << 30) | value.len() as u32;
    [&header.to_le_bytes()[..], value].concat()
}

#[test]
fn runs_that_do_not_add_up_are_refused() {
    let one = record(0, b"a");
    let two = [record(0, b"a"), record(1, b"b")].concat();
    assert!(run(0, 1, &one).is_ok() && run(0, 2, &two).is_ok());
    assert!(run(u64::MAX - 1, 1, &one).is_ok(), "the last index but one");
    let table: [(&str, Result<FromExecutor, DecodeError>); 9] = [
        ("no items", run(0, 0, &[])),
        ("no items", run(0, 0, &one)),
        ("fewer records", run(0, 2, &one)),
        ("fewer records", run(0, u32::MAX, &one)),
        ("5 bytes left over", run(0, 1, &two)),
        ("past the last index", run(u64::MAX, 1, &one)),
        ("past the last index", run(u64::MAX - 1, 2, &two)),
        ("no known tag", run(0, 1, &record(3, b"\x03\x00"))),
        ("value is cut", run(0, 1, &record(0, b"abc")[..6])),
    ];
    for (expected, got) in table {
        let text = got.expect_err(expected).to_string();
        assert!(text.contains(expected), "{text:?}, not {expected:?}");
    }
    for end in 0..12 {
        let body = vec![1; end];
        assert!(FromExecutor::from_frame(Frame::new(Kind::Results, body)).is_err());
    }
    for end in 1..two.len() {
        assert!(run(0, 2, &two[..end]).is_err(), "records cut at {end}");
    }
}

#[test]
fn preparations_that_are_cut_or_go_on_are_refused() {
    let whole = [0xac, 2, 7, 2, 1, 2, 1, 3];
    let prepare = |body: &[u8]| ToExecutor::from_frame(Frame::new(Kind::Prepare, body.to_vec()));
    assert!(matches!(prepare(&whole), Ok(ToExecutor::Prepare(..))));
    for end in 0..whole.len() {
        assert!(prepare(&whole[..end]).is_err(), "cut at {end}");
    }
    assert!(prepare(&[&whole[..], &[0]].concat()).is_err());
    let huge = encode(&(1u64 << 60), 20).unwrap();
    assert!(prepare(&[&[0, 0][..], &huge, &[1; 30]].concat()).is_err());
    let some = Attachments::from(vec![Attachment::new(Arc::new(()), 1)]);
    let forget = ToExecutor::Forget(PreparedId(1)).into_frame();
    let attached = ToExecutor::from_frame(forget.with_attachments(some));
    assert!(matches!(attached, Err(DecodeError::Attachments(_))));
}

#[test]
fn tallies_that_do_not_add_up_are_refused() {
    let tallied = |body: &[u8]| run(0, 1, &record(3, body));
    let whole = [0, 2, 1, 2, 2, 1, 3, 4, b'a'];
    assert!(tallied(&whole).is_ok());
    assert!(tallied(&whole[..8]).is_ok(), "an empty value is one too");
    for end in 0..8 {
        assert!(tallied(&whole[..end]).is_err(), "cut at {end}");
    }
    let huge = encode(&(1u64 << 60), 20).unwrap();
    let claim = [&[0][..], &huge, &[1; 30]].concat();
    assert!(tallied(&claim).is_err(), "2^60 counts in 40 bytes");
    let endless = [&[0, 1][..], &[0xff; 11]].concat();
    assert!(tallied(&endless).is_err(), "a number without an end");
    let failure = |bytes| {
        let mut body = vec![2, 1, 1, 2, 2];
        body.resize(5 + bytes, 0);
        tallied(&body)
    };
    assert!(failure(MAX_CONTROL_BYTES).is_ok());
    assert!(failure(MAX_CONTROL_BYTES + 1).is_err());
}

#[test]
fn output_that_does_not_add_up_is_refused() {
    let tallied = |body: &[u8]| run(0, 1, &record(3, body));
    let whole = [4, 0, 0, 2, b'h', b'i', b'a'];
    assert!(tallied(&whole).is_ok());
    for end in 0..6 {
        assert!(tallied(&whole[..end]).is_err(), "cut at {end}");
    }
    assert!(tallied(&[7, 0, 0, 0]).is_err(), "no outcome's tag");
    let huge = encode(&(1u64 << 60), 20).unwrap();
    let claim = [&[4, 0, 0][..], &huge, &[1; 30]].concat();
    assert!(tallied(&claim).is_err(), "2^60 bytes in 40");
    let of = |bytes: usize| {
        let length = encode(&(bytes as u64), 20).unwrap();
        tallied(&[&[4, 0, 0][..], &length, &vec![1; bytes]].concat())
    };
    assert!(of(CapturedStdout::KEPT_BYTES).is_ok());
    assert!(of(CapturedStdout::KEPT_BYTES + 1).is_err());
}

#[test]
fn a_failure_is_a_short_text() {
    let long = vec![0; MAX_CONTROL_BYTES + 1];
    let failure = RecordTag::Failure as u32;
    assert!(run(0, 1, &record(failure, &long)).is_err());
    assert!(run(0, 1, &record(failure, &long[1..])).is_ok());
    assert!(run(0, 1, &record(RecordTag::Raised as u32, &long)).is_ok());
}

/// Case I12: A collection is no longer than the bytes that it came in, whatever length it claims.
#[test]
fn a_collection_of_2_to_the_60_in_20_bytes_is_refused() {
    let huge = encode(&(1u64 << 60), 20).unwrap();
    let mut bytes = huge.clone();
    bytes.resize(20, 0);
    assert!(decode_strict::<Vec<u8>>(&bytes).is_err());
    assert!(decode_strict::<Vec<[u64; 32]>>(&bytes).is_err());
    assert!(decode_strict::<std::collections::HashMap<u64, String>>(&bytes).is_err());
    assert!(decode_strict::<Bytes>(&bytes).is_err());
    // The same inside every message that has a text or a byte string.
    let body = |before: &[u8]| [before, &huge, &[0; 9]].concat();
    let failed = Frame::new(Kind::SetupFailed, body(&[0]));
    assert!(FromWorker::from_frame(failed).is_err());
    let notice = Frame::new(Kind::Notice, body(&[0, 0]));
    assert!(FromExecutor::from_frame(notice).is_err());
    let assign = Frame::new(Kind::Assign, body(&[]));
    assert!(ToWorker::from_frame(assign).is_err());
    let body = [&[1, b't', 0][..], &huge, &[0; 8]].concat();
    assert!(decode_strict::<Setup>(&body).is_err());
}

#[test]
fn more_events_than_a_worker_sends_are_refused() {
    let trace = |events: usize, fields: usize| {
        let event = TraceEvent {
            level: TraceLevel::Info,
            target: String::new(),
            file: None,
            line: None,
            item: None,
            message: String::new(),
            fields: vec![(String::new(), String::new()); fields],
        };
        let events = std::iter::repeat_n(event, events).collect();
        FromWorker::from_frame(FromWorker::Trace { events, dropped: 0 }.into_frame())
    };
    assert!(trace(0, 0).is_ok());
    assert!(trace(MAX_TRACE_EVENTS, MAX_TRACE_FIELDS).is_ok());
    assert!(trace(MAX_TRACE_EVENTS + 1, 0).is_err());
    assert!(trace(1, MAX_TRACE_FIELDS + 1).is_err());
}

/// Case I18: Kinds and tags that there are not are errors.
#[test]
fn enums_and_texts_without_meaning_are_refused() {
    for (kind, body) in [
        (Kind::Beat, &[2, 0, 0, 0][..]),
        (Kind::SetupFailed, &[4, 0]),
        (Kind::SetupFailed, &[0, 2, 0xff, 0xfe]),
    ] {
        let frame = Frame::new(kind, Bytes::from_static(body));
        assert!(FromWorker::from_frame(frame).is_err(), "{kind:?} {body:?}");
    }
    for body in [&[1, 0][..], &[4, 0, 0], &[0, 2, 0]] {
        let frame = Frame::new(Kind::Notice, Bytes::from_static(body));
        assert!(FromExecutor::from_frame(frame).is_err(), "{body:?}");
    }
    assert!(ToWorker::from_frame(Frame::new(Kind::Beat, &[2][..])).is_err());
}
