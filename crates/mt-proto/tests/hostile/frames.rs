//! Headers and chunks.

use bytes::BytesMut;
use mt_proto::{CHUNK_BYTES, DecodeError, Frame, FrameDecoder, Kind, Limits, MAX_CONTROL_BYTES};

const MORE: u8 = 0x80;
const ATTACHED: u8 = 0x40;

fn header(length: u32, kind_byte: u8) -> Vec<u8> {
    [&length.to_le_bytes()[..], &[kind_byte]].concat()
}

fn wire(frames: &[(u8, &[u8])]) -> Vec<u8> {
    let one = |&(kind, body): &(u8, &[u8])| [&header(body.len() as u32, kind)[..], body].concat();
    frames.iter().flat_map(one).collect()
}

/// Decodes until the stream ends or breaks.
fn decode(bytes: &[u8], max_body_bytes: usize) -> Result<Vec<Frame>, DecodeError> {
    let mut received = BytesMut::from(bytes);
    let mut decoder = FrameDecoder::new(Limits { max_body_bytes });
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut received)? {
        frames.push(frame);
    }
    Ok(frames)
}

fn check(bytes: &[u8], expected: &str) {
    let error = decode(bytes, usize::MAX >> 1).expect_err(expected);
    let text = error.to_string();
    assert!(
        text.contains(expected),
        "{text:?} does not say {expected:?}"
    );
}

/// Case I11: What is too long is refused by its header alone.
#[test]
fn a_header_alone_is_enough_to_refuse() {
    let results = Kind::Results as u8;
    let over_chunk = (CHUNK_BYTES + 13) as u32;
    let (short, over_short) = (MAX_CONTROL_BYTES as u32, MAX_CONTROL_BYTES as u32 + 1);
    let far_over = "4294967295 bytes is over the limit";
    check(&header(u32::MAX, results), far_over);
    check(&header(over_chunk, results), "is over the limit");
    check(&header(over_chunk, results | MORE), "is over the limit");
    let far_over = "is over the limit of 65536";
    check(&header(u32::MAX, Kind::Beat as u8), far_over);
    let over = "body of 65537 bytes is over the limit of 65536";
    check(&header(over_short, Kind::Hello as u8), over);
    // Texts for people are short, so these are not for bulk either.
    for kind in [Kind::Notice, Kind::SetupFailed, Kind::Ready, Kind::Bye] {
        let longest = decode(&header(short, kind as u8), usize::MAX >> 1);
        assert_eq!(longest, Ok(vec![]), "{kind:?} is waited for");
        check(&header(over_short, kind as u8), "is over the limit");
        check(&header(1, kind as u8 | MORE), "is in chunks");
    }
}

#[test]
fn every_unknown_kind_is_refused() {
    let known = [
        1, 2, 3, 4, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2c, 0x2d, 0x2e, 0x2f, 0x30,
        0x31, 0x32, 0x33,
    ];
    for kind in 0..0x80u8 {
        let plain = kind & !ATTACHED;
        let refused = decode(&header(0, kind), 100) == Err(DecodeError::UnknownKind(plain));
        assert_ne!(refused, known.contains(&plain), "kind {kind:#04x}");
        if refused {
            assert!(decode(&header(1, kind | MORE), 100).is_err());
        }
    }
}

#[test]
fn misplaced_chunks_are_refused() {
    let (items, results, beat) = (Kind::Items as u8, Kind::Results as u8, Kind::Beat as u8);
    let (chunk, last) = ((results | MORE, &b"a"[..]), (results, &b""[..]));
    check(
        &header(1, beat | MORE),
        "a short kind of frame is in chunks",
    );
    let empty = "a chunk that is not the last is empty";
    check(&header(0, results | MORE), empty);
    for between in [items, items | MORE, Kind::Ready as u8] {
        check(&wire(&[chunk, (between, b"b")]), "between two chunks");
    }
    // What is allowed: control between chunks, and an empty last chunk.
    let allowed = wire(&[chunk, (beat, b"x"), (results | MORE, b"b"), last]);
    let whole = [(Kind::Beat, &b"x"[..]), (Kind::Results, b"ab")];
    let whole = whole.map(|(kind, body)| Frame::new(kind, body));
    assert_eq!(decode(&allowed, 100), Ok(whole.to_vec()));
}

#[test]
fn chunks_together_keep_the_body_limit_and_the_header_tells() {
    let limit = CHUNK_BYTES * 2;
    let chunk = vec![0; CHUNK_BYTES];
    let results = Kind::Results as u8;
    let two = wire(&[(results | MORE, &chunk), (results | MORE, &chunk)]);
    assert_eq!(decode(&two, limit), Ok(vec![]));
    let full = [&two[..], &header(0, results)].concat();
    assert_eq!(decode(&full, limit).unwrap()[0].body_bytes(), limit);
    let over = [&two[..], &header(1, results | MORE)].concat();
    let (claimed, limit) = (limit as u64 + 1, limit as u64);
    let refused = Err(DecodeError::TooLarge { claimed, limit });
    assert_eq!(decode(&over, 2 * CHUNK_BYTES), refused);
    // A limit under one chunk still lets a whole chunk through, and no more.
    let over = [wire(&[(results | MORE, &chunk)]), header(13, results)].concat();
    assert!(decode(&over, 1).is_err());
}
