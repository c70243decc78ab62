//! The bytes of every message, written down. Whoever changes them changes the protocol: raise
//! `PROTOCOL_VERSION` with them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod messages;
mod outcomes;

use std::fmt::Write;

use bytes::BytesMut;
use mt_proto::{Frame, FrameDecoder, Limits};

/// Compares as text, so that a changed encoding shows as a diff of hex bytes with the name beside it.
fn check(name: &str, got: &[u8], golden: &str) {
    let mut hex = String::new();
    for (at, byte) in got.iter().enumerate() {
        let space = if at == 0 { "" } else { " " };
        write!(hex, "{space}{byte:02x}").unwrap();
    }
    assert_eq!(hex, golden, "{name} is encoded differently (left: now)");
}

fn wire_of(frame: Frame) -> BytesMut {
    let mut wire = BytesMut::new();
    frame.write_to(&mut wire);
    wire
}

fn read_back(wire: &BytesMut) -> Frame {
    let mut wire = wire.clone();
    let frame = FrameDecoder::new(Limits::default()).decode(&mut wire);
    assert!(wire.is_empty());
    frame.unwrap().unwrap()
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// Values with their bytes, one a line.
macro_rules! golden {
    ($($value:expr => $bytes:literal),* $(,)?) => { [$(($value, $bytes)),*] };
}
use golden;
