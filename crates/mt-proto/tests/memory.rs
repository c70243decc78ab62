//! What decoding costs: at most twice the bytes received and a constant, whatever they claim.

#[path = "platform/counting.rs"]
mod counting;

use std::collections::HashMap;

use bytes::BytesMut;
use mt_proto::{
    CHUNK_BYTES, Frame, FrameDecoder, FromWorker, HEADER_BYTES, Kind, Limits, decode_strict, encode,
};

use counting::peak_of;
use serde::{Deserialize, de::DeserializeOwned};

/// What may be held besides the bytes: receive blocks.
const CONSTANT: usize = 2 * CHUNK_BYTES;
/// The words of an error.
const WORDS: usize = 1024;

/// Reads like the receiver: in blocks, keeping every frame.
fn check(name: &str, wire: &[u8]) {
    let peak = peak_of(|| {
        let mut decoder = FrameDecoder::new(Limits::default());
        let mut received = BytesMut::with_capacity(CHUNK_BYTES);
        let mut kept = Vec::new();
        for piece in wire.chunks(CHUNK_BYTES / 2) {
            let spare = received.capacity() - received.len();
            if spare < piece.len() {
                received.reserve(decoder.missing(&received).max(CHUNK_BYTES));
            }
            received.extend_from_slice(piece);
            while let Ok(Some(frame)) = decoder.decode(&mut received) {
                kept.push(match frame.kind.is_of_role() {
                    true => Err(frame),
                    false => Ok(FromWorker::from_frame(frame)),
                });
            }
        }
    });
    let bound = 2 * wire.len() + CONSTANT;
    assert!(
        peak <= bound,
        "{name}: {peak} bytes held for {} received",
        wire.len()
    );
}

/// Case Z1: What a connection holds is at most twice the bytes that it has received, whatever they claim.
#[test]
fn memory_is_bounded_by_what_was_received() {
    // Headers that promise the most a header may.
    let claim = |kind: Kind, length: usize| {
        let mut bytes = (length as u32).to_le_bytes().to_vec();
        bytes.push(kind as u8);
        bytes
    };
    check("a claim of 4 GiB", &claim(Kind::Results, u32::MAX as usize));
    check("a claim of a chunk", &claim(Kind::Results, CHUNK_BYTES));

    let mut long = BytesMut::new();
    let body = BytesMut::zeroed(64 * CHUNK_BYTES);
    Frame::new(Kind::Results, body).write_to(&mut long);
    check("16 MiB in chunks that never end", &long[..long.len() - 1]);

    let record = |length: usize| {
        let mut body = vec![0; 16 + length];
        body[8] = 1;
        body[12..16].copy_from_slice(&(length as u32).to_le_bytes());
        Frame::new(Kind::Results, body)
    };
    let mut whole = BytesMut::new();
    record(64 * CHUNK_BYTES).write_to(&mut whole);
    check("16 MiB that end", &whole);

    // One byte a chunk: the header is most of the traffic.
    let mut tiny = Vec::new();
    for _ in 0..200_000 {
        tiny.extend([1, 0, 0, 0, Kind::Results as u8 | 0x80, 7]);
    }
    check("chunks of one byte", &tiny);

    // A text of 16 MiB where texts are short.
    let mut notice = BytesMut::new();
    let text = encode(&"x".repeat(64 * CHUNK_BYTES), usize::MAX).unwrap();
    Frame::new(Kind::Notice, [&[0, 0][..], &text].concat()).write_to(&mut notice);
    check("a notice of 16 MiB", &notice);

    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .take(200)
        .collect();
        check("noise", &noise);
    }

    assert_eq!(HEADER_BYTES, 5);
}

/// Case Z1: A message holds at most twice its bytes, also one of many small parts.
#[test]
fn a_message_of_many_parts() {
    // 512 events of no text and 24 fields without any: 55 bytes each, and 1,300 once decoded.
    let event = [&[2, 0, 0, 0, 0, 0, 24][..], &[0; 48]].concat();
    let events = [&[0x80, 4][..], &event.repeat(512), &[0]].concat();
    let frame = Frame::new(Kind::Trace, events);
    let bytes = frame.body_bytes();
    let mut count = 0;
    let peak = peak_of(|| match FromWorker::from_frame(frame) {
        Ok(FromWorker::Trace { events, .. }) => count = events.map(drop).count(),
        other => panic!("{other:?}"),
    });
    assert_eq!(count, 512);
    assert!(peak <= 2 * bytes, "{peak} bytes held for {bytes}");
}

/// Tries to read a value that is not there.
fn claimed<T: DeserializeOwned>(bytes: &[u8]) -> usize {
    let mut read = false;
    let peak = peak_of(|| read = decode_strict::<T>(bytes).is_ok());
    assert!(!read, "nothing is there");
    peak
}

/// Case Z1: A value that claims to be long has no room before its bytes are there, of whatever it consists.
#[test]
fn claims_that_the_bytes_can_not_hold_are_given_nothing() {
    for claim in [21, 1 << 20, 1_u64 << 60] {
        let mut bytes = encode(&claim, 20).unwrap();
        bytes.resize(20, 0);
        // What was read before the bytes ended; a first allocation is for four.
        let read = |size: usize| 2 * 20 * size + WORDS;
        assert!(claimed::<String>(&bytes) <= WORDS);
        assert!(claimed::<Vec<u64>>(&bytes) <= read(8));
        assert!(claimed::<Vec<String>>(&bytes) <= read(24));
        assert!(claimed::<Vec<[u64; 32]>>(&bytes) <= 4 * 256 + WORDS);
        assert!(claimed::<HashMap<u64, [u64; 32]>>(&bytes) <= 4 * 264 + WORDS);
    }
}

#[derive(Deserialize)]
struct Nodes {
    _below: Vec<Nodes>,
}

/// Case Z1: However claims nest, there is room for one element a byte in all of them together.
#[test]
fn claims_within_claims_share_the_bytes() {
    // Each of 500 claims all that is left, which the one before has claimed already.
    let mut bytes = Vec::new();
    for level in 0..500_u64 {
        let left = 50_000 - level * 3 - 3;
        bytes.extend(encode(&left, 20).unwrap());
    }
    bytes.resize(50_000, 0xff);
    let held = claimed::<Nodes>(&bytes);
    assert!(
        held <= bytes.len() * size_of::<Nodes>() + 500 * 4 * size_of::<Nodes>() + WORDS,
        "{held} bytes for {}",
        bytes.len()
    );
}

/// What was really written has all its room at once: nothing is moved while it is read.
#[test]
fn what_is_there_has_its_room_at_once() {
    let rows: Vec<Vec<(Option<u8>, Vec<u64>)>> = vec![vec![(None, vec![1, 2, 3]); 50]; 50];
    let bytes = encode(&rows, usize::MAX).unwrap();
    let mut read: Vec<Vec<(Option<u8>, Vec<u64>)>> = Vec::new();
    let peak = peak_of(|| read = decode_strict(&bytes).unwrap());
    assert_eq!(read, rows);
    let exact = 50 * size_of_val(&rows[0]) + 2500 * (size_of_val(&rows[0][0]) + 3 * 8);
    assert_eq!(peak, exact);
}
