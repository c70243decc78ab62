//! Any frames, written and read back with the stream cut anywhere, are the same frames; any bytes
//! at all do no harm.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use bytes::{Bytes, BytesMut};
use mt_proto::{
    Attachments, CHUNK_BYTES, Frame, FrameDecoder, FromExecutor, FromWorker, HEADER_BYTES,
    ItemIndex, Kind, Limits, MAX_CONTROL_BYTES, Outgoing, Records, Segment, ToExecutor, ToWorker,
    encode,
};
use proptest::prelude::*;

const CONTROL: [Kind; 4] = [Kind::Hello, Kind::Welcome, Kind::Refused, Kind::Beat];
const BULK: [Kind; 3] = [Kind::Assign, Kind::Items, Kind::Results];
/// The kind bytes of the messages that are decoded.
const KINDS: [u8; 15] = [
    1, 2, 3, 4, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2c, 0x2d, 0x2e, 0x2f,
];

/// A body whose bytes tell their place, so that swapped or doubled pieces show.
fn pattern(length: usize, seed: u8) -> Bytes {
    (0..length)
        .map(|at| (at / 251) as u8 ^ at as u8 ^ seed)
        .collect()
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let bulk_bytes = prop_oneof![
        8 => 0..200usize,
        1 => CHUNK_BYTES - 2..CHUNK_BYTES + 3,
        1 => 2 * CHUNK_BYTES - 1..2 * CHUNK_BYTES + 2,
        1 => 3 * CHUNK_BYTES..4 * CHUNK_BYTES,
    ];
    let control_bytes =
        prop_oneof![8 => 0..200usize, 1 => MAX_CONTROL_BYTES - 1..=MAX_CONTROL_BYTES];
    let one = |kinds: &'static [Kind], bytes: BoxedStrategy<usize>| {
        (prop::sample::select(kinds), bytes, any::<u8>())
            .prop_map(|(kind, length, seed)| Frame::new(kind, pattern(length, seed)))
    };
    let frame = prop_oneof![
        one(&CONTROL, control_bytes.boxed()),
        one(&BULK, bulk_bytes.boxed())
    ];
    prop::collection::vec(frame, 0..8)
}

/// What the receiver does, with pieces instead of a socket.
struct Reader {
    decoder: FrameDecoder,
    received: BytesMut,
    frames: Vec<Frame>,
}

impl Reader {
    fn new() -> Self {
        Self {
            decoder: FrameDecoder::new(Limits::default()),
            received: BytesMut::new(),
            frames: Vec::new(),
        }
    }

    fn feed(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let (into, most) = match self.decoder.open_body() {
                Some((body, left)) => (body, left),
                None => (&mut self.received, usize::MAX),
            };
            let (now, later) = piece.split_at(most.min(piece.len()));
            into.extend_from_slice(now);
            piece = later;
            while let Some(frame) = self.decoder.decode(&mut self.received).unwrap() {
                self.frames.push(frame);
            }
        }
        assert!(
            self.decoder.missing(&self.received) > 0,
            "nothing missing, yet no frame"
        );
    }

    fn finish(self) -> Vec<Frame> {
        assert!(self.received.is_empty() && !self.decoder.is_mid_body());
        self.frames
    }
}

/// Bulk bodies cut into chunks, with all control frames sent as early as they may go.
fn interleaved(frames: &[Frame]) -> (BytesMut, Vec<Frame>) {
    let (control, bulk): (Vec<_>, Vec<_>) = frames
        .iter()
        .cloned()
        .partition(|frame| frame.kind.is_control());
    let mut wire = BytesMut::new();
    let mut waiting = control.clone().into_iter();
    for frame in bulk.iter().cloned() {
        let mut outgoing = Outgoing::frame(frame);
        while let Some(unit) = outgoing.next_unit() {
            wire.extend_from_slice(unit.head());
            wire.extend_from_slice(&unit.body);
            if let Some(control) = waiting.next() {
                control.write_to(&mut wire);
            }
        }
    }
    waiting.for_each(|control| control.write_to(&mut wire));
    (wire, [control, bulk].concat())
}

#[test]
fn a_stream_cut_in_two_at_every_byte_is_the_same_stream() {
    let sent = [
        Frame::new(Kind::Beat, pattern(1, 1)),
        Frame::new(Kind::Results, pattern(40, 2)),
        Frame::new(Kind::Ready, Bytes::new()),
        Frame::new(Kind::Items, pattern(17, 3)),
    ];
    let mut wire = BytesMut::new();
    sent.iter()
        .cloned()
        .for_each(|frame| frame.write_to(&mut wire));
    for at in 0..=wire.len() {
        let mut reader = Reader::new();
        reader.feed(&wire[..at]);
        reader.feed(&wire[at..]);
        assert_eq!(reader.finish(), sent, "cut at {at}");
    }
    let mut reader = Reader::new();
    wire.iter().for_each(|byte| reader.feed(&[*byte]));
    assert_eq!(reader.finish(), sent, "byte by byte");
}

/// Case I10: A body of more than `CHUNK_BYTES` travels in chunks, and one of so many does not.
#[test]
fn the_chunk_size_is_exact() {
    let around = CHUNK_BYTES - 1..=CHUNK_BYTES + 1;
    for length in [0, 1, 2 * CHUNK_BYTES].into_iter().chain(around) {
        let frame = Frame::new(Kind::Items, pattern(length, 7));
        let mut wire = BytesMut::new();
        frame.clone().write_to(&mut wire);
        let chunks = length.div_ceil(CHUNK_BYTES).max(1);
        assert_eq!(wire.len(), length + chunks * HEADER_BYTES, "{length} bytes");
        let mut reader = Reader::new();
        reader.feed(&wire);
        assert_eq!(reader.finish(), [frame]);
    }
}

#[test]
fn a_run_whose_records_fill_a_chunk_still_fits_one_frame() {
    for length in [CHUNK_BYTES - 4, CHUNK_BYTES - 3, 3 * CHUNK_BYTES] {
        let mut records = BytesMut::from(&(length as u32).to_le_bytes()[..]);
        records.extend_from_slice(&pattern(length, 5));
        let run = Segment {
            first: ItemIndex(u64::MAX - 1),
            count: 1,
            records: records.freeze(),
            attachments: Attachments::NONE,
        };
        let mut wire = BytesMut::new();
        ToExecutor::Items(run.clone())
            .into_frame()
            .write_to(&mut wire);
        let mut reader = Reader::new();
        wire.chunks(10_007).for_each(|piece| reader.feed(piece));
        let frame = reader.finish().pop().unwrap();
        assert_eq!(ToExecutor::from_frame(frame), Ok(ToExecutor::Items(run)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_frames_in_any_pieces_arrive_as_sent(
        sent in frames(),
        pieces in prop::collection::vec(prop_oneof![1..20usize, 1..400_000usize], 1..12),
    ) {
        let (wire, expected) = interleaved(&sent);
        let mut reader = Reader::new();
        let mut rest = &wire[..];
        for piece in pieces.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at((*piece).min(rest.len()));
            reader.feed(piece);
            rest = later;
        }
        let got = reader.finish();
        // Control overtakes bulk; within a lane nothing overtakes anything.
        let (control, bulk): (Vec<_>, Vec<_>) =
            got.into_iter().partition(|frame| frame.kind.is_control());
        prop_assert_eq!([control, bulk].concat(), expected);
    }
}

/// Everything that reads bytes of the other side, on bytes that mean nothing or almost something.
fn read_all(kind_hint: usize, bytes: &[u8]) {
    let mut wire = BytesMut::from(bytes);
    let mut decoder = FrameDecoder::new(Limits::default());
    while let Ok(Some(frame)) = decoder.decode(&mut wire) {
        let _ = ToWorker::from_frame(frame.clone());
        let _ = FromWorker::from_frame(frame.clone());
        let _ = ToExecutor::from_frame(frame.clone());
        let _ = FromExecutor::from_frame(frame);
    }
    let _ = decoder.missing(&wire);
    let header = [
        bytes.len() as u8,
        (bytes.len() >> 8) as u8,
        0,
        0,
        KINDS[kind_hint],
    ];
    let mut wire = BytesMut::from(&[&header, bytes].concat()[..]);
    let whole = FrameDecoder::new(Limits::default()).decode(&mut wire);
    let frame = whole.unwrap().unwrap();
    let _ = ToWorker::from_frame(frame.clone());
    let _ = FromWorker::from_frame(frame);
    let mut records = Records::new(Bytes::copy_from_slice(bytes));
    let _ = records.split_front(kind_hint as u32);
    while let Ok(Some(_)) = records.next_record() {}
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes_never_panic(hint in 0..15usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(hint, &bytes);
    }

    /// Small bytes are likely lengths, kinds and counts, so these get further in.
    #[test]
    fn plausible_bytes_never_panic(
        hint in 0..15usize,
        bytes in prop::collection::vec(prop_oneof![Just(0u8), 1..6u8, 0x20..0x28u8, any::<u8>()], 0..80),
    ) {
        read_all(hint, &bytes);
    }

    #[test]
    fn encode_and_decode_are_inverse(value in any::<(u64, String, Vec<Option<i32>>, bool)>()) {
        let bytes = encode(&value, usize::MAX).unwrap();
        prop_assert_eq!(mt_proto::decode_strict::<(u64, String, Vec<Option<i32>>, bool)>(&bytes), Ok(value));
    }
}
