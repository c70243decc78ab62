//! What comes beside the bytes, and the frames that claim it.

use std::sync::Arc;

use bytes::BytesMut;
use mt_proto::{
    Attachment, Attachments, DecodeError, Frame, FrameDecoder, FromBee, FromExecutor, FromWorker,
    Kind, Limits, MAX_ATTACHMENTS, ToWorker, hive_messages,
};

const RESULTS: u8 = Kind::Results as u8;
const MORE: u8 = 0x80;
const ATTACHED: u8 = 0x40;

fn some(count: usize) -> Vec<Attachment> {
    let one = |n| Attachment::new(Arc::new(n), 1);
    (0..count).map(one).collect()
}

/// A chunk of 4 bytes that claims some attachments, or none.
fn chunk(kind: u8, claimed: Option<usize>) -> Vec<u8> {
    let (flag, number) = match claimed {
        None => (0, vec![]),
        Some(claimed) => (ATTACHED, vec![claimed as u8]),
    };
    [&[4, 0, 0, 0, kind | flag][..], &number, b"body"].concat()
}

/// What comes with some bytes: attachments, and whether there were more.
type Came = Option<(usize, bool)>;

fn decode(reads: &[(Came, Vec<u8>)]) -> Result<Vec<Frame>, DecodeError> {
    let mut decoder = FrameDecoder::new(Limits::default());
    let (mut received, mut frames) = (BytesMut::new(), Vec::new());
    for (came, bytes) in reads {
        received.extend_from_slice(bytes);
        if let Some((count, cut)) = *came {
            decoder.attach(some(count), cut);
        }
        while let Some(frame) = decoder.decode(&mut received)? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

#[test]
fn each_frame_has_the_attachments_that_came_with_it() {
    let long = [chunk(RESULTS | MORE, Some(2)), chunk(RESULTS, None)].concat();
    let (head, rest) = long.split_at(7);
    let beat = [1, 0, 0, 0, Kind::Beat as u8, 0].to_vec();
    let frames = decode(&[
        (Some((1, false)), chunk(RESULTS, Some(1))),
        (None, [chunk(RESULTS, None), beat].concat()),
        (Some((2, false)), head.to_vec()),
        // Of the next frame only the first byte.
        (
            Some((64, false)),
            [rest, &chunk(RESULTS, Some(64))[..1]].concat(),
        ),
        (None, chunk(RESULTS, Some(64))[1..].to_vec()),
        // Of three, two found no room.
        (Some((1, true)), chunk(RESULTS, Some(3))),
        (Some((0, true)), chunk(RESULTS, Some(1))),
    ]);
    let frames = frames.expect("all is as it should be");
    let counts = frames
        .iter()
        .map(|frame| frame.attachments.as_slice().len());
    assert_eq!(counts.collect::<Vec<_>>(), [1, 0, 0, 2, 64, 3, 1]);
    let lost = frames.iter().map(|frame| {
        let all = frame.attachments.as_slice().iter();
        all.filter(|attachment| attachment.is_lost()).count()
    });
    assert_eq!(lost.collect::<Vec<_>>(), [0, 0, 0, 0, 0, 2, 1]);
}

fn refuses(expected: &str, reads: &[(Came, Vec<u8>)]) {
    let said = decode(reads).expect_err(expected).to_string();
    assert!(
        said.contains(expected),
        "{said:?} does not say {expected:?}"
    );
}

#[test]
fn attachments_and_frames_that_do_not_go_together_are_refused() {
    let claims = |claimed| chunk(RESULTS, Some(claimed));
    let came = |count| Some((count, false));
    for (expected, count, bytes) in [
        ("none came", None, claims(1)),
        ("none came", came(1), [claims(1), claims(1)].concat()),
        ("another number", came(2), claims(1)),
        ("another number", came(1), claims(2)),
        ("another number", Some((2, true)), claims(1)),
        ("no frame claims", came(1), chunk(RESULTS, None)),
        ("too many, or none", came(0), claims(0)),
        ("too many, or none", came(64), claims(65)),
        ("more came", came(MAX_ATTACHMENTS + 1), claims(1)),
    ] {
        refuses(expected, &[(count, bytes)]);
    }
    // Whatever is waited for, not so many batches.
    let mut nothing = vec![(came(1), vec![9])];
    nothing.resize(9, (came(1), vec![]));
    refuses("more came", &nothing);
    let first = (came(1), chunk(RESULTS | MORE, Some(1)));
    refuses("first chunk", &[first, (came(1), claims(1))]);
    for kind in [
        Kind::Beat,
        Kind::Hello,
        Kind::Bye,
        Kind::Notice,
        Kind::Trace,
    ] {
        refuses("first chunk", &[(came(1), chunk(kind as u8, Some(1)))]);
    }
}

/// Messages that take no attachments are none with some.
#[test]
fn messages_without_attachments_refuse_some() {
    let frame = |kind, body: &'static [u8]| {
        Frame::new(kind, body).with_attachments(Attachments::from(some(1)))
    };
    let refused = |result: Result<(), _>| {
        assert!(
            matches!(result, Err(DecodeError::Attachments(_))),
            "{result:?}"
        );
    };
    refused(ToWorker::from_frame(frame(Kind::Rest, &[])).map(drop));
    refused(FromWorker::from_frame(frame(Kind::Ready, &[])).map(drop));
    refused(FromExecutor::from_frame(frame(Kind::Exit, &[0, 0])).map(drop));
    let mut messages = hive_messages::<FromBee>(frame(Kind::Role, &[1]));
    refused(messages.next().expect("what is wrong with it").map(drop));
    assert!(messages.next().is_none());
}
