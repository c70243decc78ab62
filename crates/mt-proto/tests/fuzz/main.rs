//! Any bytes at all, as a worker gone mad may send them, or as a parent may.
//!
//! `cargo xtask fuzz` plays these for as long as it is told to; a run of the tests plays the corpus and some
//! thousand changes of it.

#[path = "../platform/counting.rs"]
mod counting;
mod messages;

use bytes::{Bytes, BytesMut};
use mt_proto::{DecodeError, Frame, FrameDecoder, Limits, Records, decode_strict};
use mt_test_kit::{Trail, fuzz};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, HashMap};

use counting::peak_of;

/// A limit that inputs of a few thousand bytes reach.
const LIMITS: Limits = Limits {
    max_body_bytes: 1 << 20,
};

/// Decodes what comes in pieces of these sizes, again and again. The error is the last, if there is one.
fn decode(stream: &[u8], pieces: &[usize]) -> (Vec<Frame>, Option<DecodeError>) {
    let (mut decoder, mut received) = (FrameDecoder::new(LIMITS), BytesMut::new());
    let (mut frames, mut rest) = (Vec::new(), stream);
    for piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        received.extend_from_slice(now);
        rest = later;
        loop {
            match decoder.decode(&mut received) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(decoder.missing(&received) > 0, "a whole frame is left");
        if rest.is_empty() {
            break;
        }
    }
    (frames, None)
}

/// Case Z1: However the bytes are cut into pieces, the same frames come out, and nothing is held beyond twice what
/// was received.
#[test]
fn frames() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/frames.hex");
    fuzz("frames", corpus, |input, trail| {
        let (sizes, stream) = input.split_at(input.len().min(3));
        let pieces: Vec<usize> = sizes.iter().map(|&size| usize::from(size) + 1).collect();
        let mut whole = (Vec::new(), None);
        let held = peak_of(|| whole = decode(stream, &[stream.len().max(1)]));
        // The list of frames itself is the test's.
        let list = whole.0.capacity() * size_of::<Frame>() * 2;
        // What a buffer that is shared is counted with, and the least that one has.
        let bound = 2 * stream.len() + 64 * (whole.0.len() + 4);
        assert!(held <= bound + list, "{held} for {}", stream.len());
        if !pieces.is_empty() {
            assert_eq!(decode(stream, &pieces), whole);
        }
        let (frames, error) = whole;
        for frame in frames {
            trail.note(frame.kind);
            messages::read_all(frame, trail);
        }
        trail.note(error.map(|error| std::mem::discriminant(&error)));
    });
}

/// Case Z1: Values of any type come out as they went in or not at all, whatever they claim to be long.
#[test]
fn values() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/values.hex");
    fuzz("values", corpus, |input, trail| {
        let Some((&which, bytes)) = input.split_first() else {
            return;
        };
        let read = match which % 8 {
            0 => value::<Vec<String>>(bytes),
            1 => value::<Option<Option<Vec<u8>>>>(bytes),
            2 => value::<BTreeMap<String, (bool, char)>>(bytes),
            3 => value::<Vec<[u64; 8]>>(bytes),
            4 => value::<Result<(u8, i128), (f64, String)>>(bytes),
            5 => value::<Vec<Vec<Vec<u16>>>>(bytes),
            6 => value::<(Bytes, std::time::Duration, std::net::IpAddr)>(bytes),
            _ => value::<HashMap<i64, Box<str>>>(bytes),
        };
        trail.note((which % 8, read));
    });
}

/// The most that an element of those above takes in memory, a place in a map that is half empty included: that much a
/// byte may be given room before it is seen, and the elements that are there may take.
const LARGEST_ELEMENT: usize = 64;
/// The words of an error, and the first allocation of a vector and of a map.
const WORDS: usize = 1024;

/// Whether it is a value; then what it encodes to is that value again.
fn value<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    let mut value = None;
    let held = peak_of(|| value = decode_strict::<T>(bytes).ok());
    let bound = LARGEST_ELEMENT * bytes.len() + WORDS;
    assert!(held <= bound, "{held} for {}", bytes.len());
    let Some(value) = value else { return false };
    let again = mt_proto::encode(&value, usize::MAX >> 1).expect("it came from there");
    let same: T = decode_strict(&again).expect("our own encoding");
    let twice = mt_proto::encode(&same, usize::MAX >> 1).expect("it came from there");
    // A map may have another order, and a number more bytes than it needs.
    assert_eq!(again.len(), twice.len());
    true
}

/// Walks a body of records in every way there is.
fn walk(body: &Bytes, trail: &mut Trail) {
    let mut records = Records::new(body.clone());
    let mut count = 0;
    let end = loop {
        match records.next_record() {
            Ok(Some(record)) => {
                count += 1;
                let added: i64 = record
                    .tally()
                    .counts()
                    .map(|count| count.by)
                    .fold(0, i64::wrapping_add);
                let printed = record.tally().stdout();
                assert!(printed.bytes().len() <= body.len());
                trail.note((record.tag as u8, added == 0, printed.is_empty()));
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let checked = Records::new(body.clone()).check(count);
    assert_eq!(end.is_ok(), checked.is_ok(), "{end:?}, {checked:?}");
}
