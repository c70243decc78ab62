//! What decoding costs: at most twice the bytes received and a constant, whatever they claim.

#[path = "platform/counting.rs"]
mod counting;

use bytes::BytesMut;
use mt_proto::{
    CHUNK_BYTES, Frame, FrameDecoder, FromWorker, HEADER_BYTES, Kind, Limits, decode_strict, encode,
};

use counting::peak_of;

/// What may be held besides the bytes: a receive block, and what serde reserves on a claim (1 MiB).
const CONSTANT: usize = 2 * 1024 * 1024;

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

/// One test: the counters are the whole process's.
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

    let mut claim = encode(&(1u64 << 60), 20).unwrap();
    claim.resize(20, 0);
    let peak = peak_of(|| {
        assert!(decode_strict::<Vec<u64>>(&claim).is_err());
        assert!(decode_strict::<Vec<String>>(&claim).is_err());
        assert!(decode_strict::<Vec<[u64; 32]>>(&claim).is_err());
        assert!(decode_strict::<String>(&claim).is_err());
    });
    assert!(peak <= CONSTANT, "{peak} bytes for a claimed length");
    assert_eq!(HEADER_BYTES, 5);
}
