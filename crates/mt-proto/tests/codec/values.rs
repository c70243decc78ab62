//! Values of every sort: there and back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    ffi::OsString,
    marker::PhantomData,
    net::IpAddr,
    num::NonZeroU8,
    ops::{Bound, RangeInclusive},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use mt_proto::{decode_checked, encode_checked};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Key {
    Unit,
    Pair(i128, Option<char>),
    Named { unit: Unit, text: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype<T>(T, #[serde(skip)] PhantomData<T>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Renamed {
    #[serde(rename(serialize = "there", deserialize = "here"), alias = "anywhere")]
    field: u8,
    #[serde(skip)]
    left_out: u8,
    #[serde(default)]
    defaulted: Option<u8>,
}

#[track_caller]
fn crosses<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: T) {
    let bytes = encode_checked(&value, usize::MAX).expect("is written");
    assert_eq!(decode_checked::<T>(&bytes).expect("is read"), value);
    for end in 0..bytes.len() {
        assert!(decode_checked::<T>(&bytes[..end]).is_err(), "cut to {end}");
    }
    let more = [&bytes[..], &[0]].concat();
    assert!(decode_checked::<T>(&more).is_err(), "with a byte more");
}

/// Case M10: Numbers of every width cross whole.
#[test]
fn numbers_cross_whole() {
    crosses((u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX, usize::MAX));
    crosses((i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN, isize::MIN));
    crosses((i8::MAX, i16::MAX, i32::MAX, i64::MAX, i128::MAX, isize::MAX));
    crosses([true, false]);
    crosses(vec![0.1 + 0.2, -0.0, f64::MIN_POSITIVE, f64::INFINITY]);
    crosses(Some(NonZeroU8::MAX));
}

#[test]
fn a_nan_keeps_its_payload() {
    let values = [f32::from_bits(0x7fc0_1234), f32::from_bits(0xffa0_0001)];
    let bytes = encode_checked(&values, 100).expect("is written");
    let read: [f32; 2] = decode_checked(&bytes).expect("is read");
    assert_eq!(read.map(f32::to_bits), values.map(f32::to_bits));
}

#[test]
fn nothing_is_told_from_nothing_in_something() {
    for value in [None, Some(None), Some(Some(None)), Some(Some(Some(())))] {
        crosses::<Option<Option<Option<()>>>>(value);
    }
    crosses(());
    crosses(Unit);
    crosses(vec![(); 1000]);
    crosses((Unit, [Unit; 3], [0_u8; 0]));
}

/// Case M11: Text, and maps with keys of any type, cross as they are.
#[test]
fn text_and_keys_of_every_sort_cross() {
    crosses(['\0', 'é', '\u{10ffff}']);
    crosses("a\0é".to_owned());
    let keys = [
        Key::Unit,
        Key::Pair(-1, Some('x')),
        Key::Pair(i128::MAX, None),
        Key::Named {
            unit: Unit,
            text: String::new(),
        },
    ];
    crosses(
        keys.iter()
            .cloned()
            .zip(0..)
            .collect::<HashMap<Key, u128>>(),
    );
    crosses(BTreeSet::from(keys.clone()));
    crosses(BTreeMap::from([((1_u8, vec![Some(2_i8)]), keys)]));
    crosses(VecDeque::from([vec![String::new()], vec![]]));
}

/// Case M12: Types of the standard library cross as they are, or are refused by their `Serialize`.
#[test]
fn types_of_the_standard_library_cross() {
    crosses::<Vec<IpAddr>>(vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()]);
    crosses(Duration::new(u64::MAX, 999_999_999));
    crosses(SystemTime::UNIX_EPOCH + Duration::new(1, 1));
    crosses(PathBuf::from("/é"));
    crosses(OsString::from("é"));
    crosses::<RangeInclusive<i8>>(-1..=1);
    crosses((
        Bound::Included(1_u8),
        Bound::Excluded(2_u8),
        Bound::<u8>::Unbounded,
    ));
    crosses(Ok::<u8, String>(1));
}

/// Case M13: What both sides leave out or rename crosses as both have it.
#[test]
fn attributes_that_both_sides_follow_cross() {
    crosses(Newtype(7_u32, PhantomData));
    crosses(Renamed {
        field: 1,
        left_out: 0,
        defaulted: None,
    });
}

#[test]
fn what_a_type_refuses_is_told_in_its_words() {
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let said = encode_checked(&before, 100).unwrap_err().to_string();
    assert!(
        said.contains("SystemTime must be later than UNIX_EPOCH"),
        "{said}"
    );
}
