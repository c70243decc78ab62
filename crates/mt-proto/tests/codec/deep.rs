//! Nesting is bounded, on both sides, on a small stack, in any build.

use std::{collections::BTreeMap, fmt, thread};

use mt_proto::{
    DecodeError, EncodeError, MAX_NESTING, decode_checked, decode_strict, encode, encode_checked,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
    ser::SerializeSeq,
};

/// What a thread of Rust's has.
const SMALL_STACK: usize = 2 * 1024 * 1024;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Nodes {
    below: Vec<Nodes>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Wrapped {
    End,
    Once(Box<Wrapped>),
    Named { inner: Box<Wrapped> },
}

/// Newtypes within newtypes, in each sort of container.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct InMaps(Newtype<BTreeMap<u8, InMaps>>);

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct InVecs(Newtype<Vec<(u8, InVecs)>>);

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Newtype<T>(T);

/// Many bytes on the stack for each that is nested.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Wide {
    rows: [[u64; 32]; 32],
    below: Option<Box<Wide>>,
}

/// Nested lists by hand: as deep as they are asked to be.
struct Lists(usize);

impl Serialize for Lists {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(usize::from(self.0 > 0)))?;
        if self.0 > 0 {
            list.serialize_element(&Lists(self.0 - 1))?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Lists {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Depth;
        impl<'de> Visitor<'de> for Depth {
            type Value = Lists;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lists in lists")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lists, A::Error> {
                let below = list.next_element::<Lists>()?;
                Ok(Lists(below.map_or(0, |below| below.0 + 1)))
            }
        }
        deserializer.deserialize_seq(Depth)
    }
}

fn on_a_small_stack(test: fn()) {
    let thread = thread::Builder::new().stack_size(SMALL_STACK);
    thread.spawn(test).expect("starts").join().expect("passes");
}

fn too_deep(why: &str) -> bool {
    why.contains("nests too deep")
}

fn is_refused(written: Result<Vec<u8>, EncodeError>) {
    let refused = matches!(&written, Err(EncodeError::Value(why)) if too_deep(why));
    assert!(refused, "{:?}", written.map(|bytes| bytes.len()));
}

#[test]
fn a_value_nested_60_000_deep_is_refused_where_it_is_written() {
    on_a_small_stack(|| {
        let (mut nodes, mut chain, mut wrapped) =
            (Nodes::default(), Chain::default(), Wrapped::End);
        for step in 0..60_000 {
            nodes = Nodes { below: vec![nodes] };
            chain = Chain(Some(Box::new(chain)));
            let inner = Box::new(wrapped);
            wrapped = match step % 2 {
                0 => Wrapped::Once(inner),
                _ => Wrapped::Named { inner },
            };
        }
        let (mut maps, mut vecs) = (InMaps::default(), InVecs::default());
        for _ in 0..60_000 {
            maps = InMaps(Newtype(BTreeMap::from([(1, maps)])));
            vecs = InVecs(Newtype(vec![(1, vecs)]));
        }
        is_refused(encode_checked(&maps, usize::MAX));
        is_refused(encode_checked(&vecs, usize::MAX));
        std::mem::forget((maps, vecs));
        is_refused(encode_checked(&nodes, usize::MAX));
        is_refused(encode(&chain, usize::MAX));
        is_refused(encode_checked(&wrapped, usize::MAX));
        is_refused(encode_checked(&Lists(60_000), usize::MAX));
        // Their drop is their own, and nests as deep.
        std::mem::forget((nodes, chain, wrapped));
    });
}

#[test]
fn bytes_nested_60_000_deep_are_refused_where_they_are_read() {
    on_a_small_stack(|| {
        let refused =
            |error: DecodeError| matches!(&error, DecodeError::Value(why) if too_deep(why));
        let ones = [1; 60_000];
        assert!(decode_strict::<Nodes>(&ones).is_err_and(refused));
        assert!(decode_strict::<Chain>(&ones).is_err_and(refused));
        assert!(decode_strict::<Wrapped>(&ones).is_err_and(refused));
        assert!(decode_strict::<InMaps>(&ones).is_err_and(refused));
        assert!(decode_strict::<InVecs>(&ones).is_err_and(refused));
        assert!(decode_checked::<Lists>(&ones).is_err_and(refused));
    });
}

/// Case M14: As many containers within each other as may be cross.
#[test]
fn what_nests_as_deep_as_it_may_crosses() {
    on_a_small_stack(|| {
        let most = MAX_NESTING as usize - 1;
        let bytes = encode_checked(&Lists(most), usize::MAX).expect("not too deep");
        let read: Lists = decode_checked(&bytes).expect("as deep");
        assert_eq!(read.0, most);
        is_refused(encode_checked(&Lists(most + 1), usize::MAX));
    });
}

#[test]
fn wide_values_come_to_the_end_of_the_stack_first() {
    on_a_small_stack(|| {
        let mut bytes = Vec::new();
        for _ in 0..MAX_NESTING / 4 {
            bytes.extend([0; 1024]);
            bytes.push(1);
        }
        let read = decode_strict::<Wide>(&bytes);
        assert!(read.is_err(), "it ends before it is read, or is too deep");
    });
}
