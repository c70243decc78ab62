//! The bytes are those of postcard, and so is what is read from them.

use std::collections::BTreeMap;

use mt_proto::{decode_strict, encode};
use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Newtype(i64),
    Tuple(u8, i16),
    Struct { text: String, letter: char },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Whole {
    numbers: (u16, u32, u64, u128),
    signed: (i8, i16, i32, i64, i128),
    flags: (bool, Option<Option<bool>>),
    choice: Choice,
    list: Vec<(u8, String)>,
    map: BTreeMap<u32, i8>,
}

fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Unit),
        any::<i64>().prop_map(Choice::Newtype),
        any::<(u8, i16)>().prop_map(|(a, b)| Choice::Tuple(a, b)),
        any::<(String, char)>().prop_map(|(text, letter)| Choice::Struct { text, letter }),
    ]
}

fn wholes() -> impl Strategy<Value = Whole> {
    let lists = (any::<Vec<(u8, String)>>(), any::<BTreeMap<u32, i8>>());
    let plain = (
        any::<(u16, u32, u64, u128)>(),
        any::<(i8, i16, i32, i64, i128)>(),
    );
    (
        plain,
        any::<(bool, Option<Option<bool>>)>(),
        choices(),
        lists,
    )
        .prop_map(|((numbers, signed), flags, choice, (list, map))| Whole {
            numbers,
            signed,
            flags,
            choice,
            list,
            map,
        })
}

fn check<T: Serialize + DeserializeOwned>(value: &T) {
    let ours = encode(value, usize::MAX).expect("encodes");
    assert_eq!(ours, postcard::to_stdvec(value).expect("encodes"));
    let read: T = decode_strict(&ours).expect("decodes");
    assert_eq!(
        postcard::to_stdvec(&read),
        Ok(ours),
        "what is read is the same"
    );
}

proptest! {
    #[test]
    fn values_are_written_as_postcard_writes_them(whole in wholes(), floats in any::<(f32, f64)>()) {
        check(&whole);
        check(&floats);
    }

    #[test]
    fn of_any_bytes_the_same_is_read(bytes in any::<Vec<u8>>()) {
        type Read = (u8, i16, u64, i128, Option<bool>, String, Vec<u16>, f32);
        let theirs = postcard::take_from_bytes::<Read>(&bytes).ok().filter(|(_, rest)| rest.is_empty());
        let ours = decode_strict::<Read>(&bytes).ok();
        let text = |read: Read| format!("{read:?}");
        prop_assert_eq!(ours.map(text), theirs.map(|(read, _)| text(read)));
    }
}
