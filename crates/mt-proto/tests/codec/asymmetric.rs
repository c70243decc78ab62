//! Types whose two sides do not agree: an error, and never another value.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
};

use mt_proto::{
    DecodeError, EncodeError, decode_checked, decode_item, decode_strict, encode_checked,
    encode_item,
};
use serde::{
    Deserialize, Serialize, Serializer,
    de::DeserializeOwned,
    ser::{Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple},
};

#[track_caller]
fn refused<T: Serialize + DeserializeOwned + Debug + 'static>(value: &T) -> String {
    match encode_item(value, usize::MAX) {
        Err(error) => error.to_string(),
        Ok(bytes) => decode_item::<T>(&bytes)
            .expect_err("it is another value")
            .to_string(),
    }
}

#[track_caller]
fn unwritable<T: Serialize + 'static>(value: &T) -> String {
    match encode_item(value, usize::MAX) {
        Err(EncodeError::Value(why)) => why.into(),
        other => panic!("{other:?}"),
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Skipping {
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<u8>,
    b: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<u8>,
}

/// Case 1: A field that `skip_serializing_if` leaves out is an error that names it, and never another value.
#[test]
fn a_field_that_is_left_out_is_refused_and_one_that_is_there_crosses() {
    let value = |a, c| Skipping { a, b: 0, c };
    for (value, field) in [(value(None, Some(0)), 'a'), (value(Some(1), None), 'c')] {
        let said = unwritable(&value);
        assert!(
            said.contains(&format!("field `{field}` of `Skipping` is left out")),
            "{said}"
        );
        assert!(said.contains("mt_pool::Json"), "{said}");
        unwritable(&vec![Some((1, value))]);
    }
    let bytes = encode_item(&value(Some(1), Some(2)), 100).expect("nothing is left out");
    assert_eq!(decode_item(&bytes), Ok(value(Some(1), Some(2))));
}

#[derive(Debug, Serialize, Deserialize)]
enum SkippingVariant {
    Named {
        #[serde(skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        b: u8,
    },
    Tuple(
        #[serde(skip_serializing_if = "Option::is_none")] Option<u8>,
        u8,
    ),
}

#[derive(Debug, Serialize, Deserialize)]
struct SkippingTuple(
    #[serde(skip_serializing_if = "Option::is_none")] Option<u8>,
    u8,
    u8,
);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unwritten {
    #[serde(skip_serializing)]
    a: u8,
    b: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct Unread {
    #[serde(skip_deserializing)]
    a: u8,
    b: u8,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Defaulted {
    #[serde(skip_serializing, default)]
    a: u8,
    b: u8,
}

/// Case 1: A field that only one side has, whatever the attribute, is an error.
#[test]
fn a_field_that_one_side_lacks_is_refused() {
    unwritable(&SkippingVariant::Named { a: None, b: 1 });
    refused(&SkippingVariant::Tuple(None, 1));
    // Bytes enough for what is read: 2 of one for the 3 of the other.
    refused(&vec![SkippingTuple(None, 1, 1)]);
    refused(&(SkippingTuple(None, 0, 1), 1_u8));
    refused(&(Unwritten { a: 1, b: 2 }, Unread { a: 3, b: 4 }));
    refused(&[Unread { a: 3, b: 4 }, Unread { a: 5, b: 6 }]);
    refused(&(Defaulted { a: 1, b: 2 }, Unread { a: 3, b: 4 }));
}

#[derive(Debug, Serialize, Deserialize)]
struct AsText {
    #[serde(serialize_with = "as_text")]
    number: u64,
    next: u8,
}

fn as_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "i32", from = "u32")]
struct OtherSign(u32);

impl From<OtherSign> for i32 {
    fn from(value: OtherSign) -> Self {
        value.0 as Self
    }
}

impl From<u32> for OtherSign {
    fn from(value: u32) -> Self {
        Self(value)
    }
}

/// Case 1: What is written as another type than it is read as is an error.
#[test]
fn a_field_that_is_written_as_another_type_is_refused() {
    refused(&AsText { number: 7, next: 0 });
    refused(&OtherSign(4));
    refused(&vec![OtherSign(4)]);
}

#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Point { x: u8 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    Number(u8),
    Nothing,
}

/// Case 1: What has to be told what it is (`flatten`, `untagged`, `tag`) is an error that advises `Json`.
#[test]
fn what_describes_itself_is_refused_with_advice() {
    let flat = Flat {
        rest: BTreeMap::from([("a".to_owned(), 1)]),
    };
    for said in [
        unwritable(&flat),
        refused(&Untagged::Number(7)),
        refused(&Untagged::Text("7".into())),
        refused(&Tagged::Point { x: 1 }),
        refused(&Adjacent::Number(1)),
        refused(&Adjacent::Nothing),
    ] {
        assert!(said.contains("mt_pool::Json"), "{said}");
    }
}

/// A type that tells another number of parts than it writes.
#[derive(Debug)]
struct Miscounts {
    as_what: &'static str,
    told: Option<usize>,
    written: u8,
}

impl Serialize for Miscounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (told, parts) = (self.told, 0..self.written);
        let known = told.unwrap_or_default();
        match self.as_what {
            "seq" => {
                let mut seq = serializer.serialize_seq(told)?;
                for part in parts {
                    seq.serialize_element(&part)?;
                }
                seq.end()
            }
            "map" => {
                let mut map = serializer.serialize_map(told)?;
                for part in parts {
                    map.serialize_entry(&part, &part)?;
                }
                map.end()
            }
            "tuple" => {
                let mut tuple = serializer.serialize_tuple(known)?;
                for part in parts {
                    tuple.serialize_element(&part)?;
                }
                tuple.end()
            }
            "struct" => {
                let mut fields = serializer.serialize_struct("Miscounts", known)?;
                for part in parts {
                    fields.serialize_field("part", &part)?;
                }
                fields.end()
            }
            other => Err(S::Error::custom(format_args!("no {other} at all"))),
        }
    }
}

/// Case 1: A length that a `Serialize` tells and does not keep is an error.
#[test]
fn a_length_that_is_not_kept_is_refused() {
    for as_what in ["seq", "map", "tuple", "struct"] {
        for (told, written) in [(1, 2), (2, 1), (0, 1), (300, 3)] {
            let said = unwritable(&Miscounts {
                as_what,
                told: Some(told),
                written,
            });
            assert!(
                said.contains(&format!("told {told} parts and wrote {written}")),
                "{said}"
            );
        }
        let right = Miscounts {
            as_what,
            told: Some(2),
            written: 2,
        };
        assert!(encode_item(&right, 100).is_ok());
    }
    for as_what in ["seq", "map"] {
        let said = unwritable(&Miscounts {
            as_what,
            told: None,
            written: 2,
        });
        assert!(said.contains("length"), "{said}");
    }
}

/// A map with a key too many.
struct HalfEntry;

impl Serialize for HalfEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_key(&1_u8)?;
        map.end()
    }
}

#[test]
fn a_key_without_a_value_is_refused() {
    unwritable(&HalfEntry);
}

/// Case 38: What a type's `Serialize` says of why it refuses is told.
#[test]
fn custom_messages_are_kept_both_ways() {
    let said = unwritable(&Miscounts {
        as_what: "luck",
        told: None,
        written: 0,
    });
    assert_eq!(said, "no luck at all");
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "u8")]
    struct Even;
    impl TryFrom<u8> for Even {
        type Error = String;
        fn try_from(number: u8) -> Result<Self, String> {
            match number % 2 {
                0 => Ok(Self),
                _ => Err(format!("{number} is odd")),
            }
        }
    }
    let error = decode_strict::<Even>(&[3]).unwrap_err();
    assert_eq!(error, DecodeError::Value("3 is odd".into()));
}

/// Case 32: A number of another width or sign, named again by its receiver, is an error.
#[test]
fn a_type_that_is_named_again_must_be_that_type() {
    fn all<T: Serialize>(value: &T) -> [bool; 8] {
        let bytes = encode_checked(value, 100).expect("is written");
        [
            decode_checked::<u8>(&bytes).is_ok(),
            decode_checked::<u32>(&bytes).is_ok(),
            decode_checked::<u64>(&bytes).is_ok(),
            decode_checked::<i32>(&bytes).is_ok(),
            decode_checked::<i64>(&bytes).is_ok(),
            decode_checked::<bool>(&bytes).is_ok(),
            decode_checked::<Option<()>>(&bytes).is_ok(),
            decode_checked::<(u8,)>(&bytes).is_ok(),
        ]
    }
    let only = |place| std::array::from_fn::<bool, 8, _>(|at| at == place);
    assert_eq!(all(&1_u8), only(0));
    assert_eq!(all(&1_u32), only(1));
    assert_eq!(all(&1_u64), only(2));
    assert_eq!(all(&1_i32), only(3));
    assert_eq!(all(&1_i64), only(4));
    assert_eq!(all(&true), only(5));
    assert_eq!(all(&Some(())), only(6));
    assert_eq!(all(&(1_u8,)), only(7));
    let maps = encode_checked(&HashMap::from([(1_u8, 2_u8)]), 100).expect("is written");
    assert!(decode_checked::<Vec<(u8, u8)>>(&maps).is_err());
}

#[test]
fn borrowed_text_is_read_as_owned_text() {
    let bytes = encode_checked(&("text", &b"bytes"[..4]), 100).expect("is written");
    assert!(
        decode_checked::<(String, [u8; 4])>(&bytes).is_err(),
        "a slice has a length"
    );
    let read = decode_checked::<(String, Vec<u8>)>(&bytes);
    assert_eq!(read, Ok(("text".to_owned(), b"byte".to_vec())));
}

/// Case M15: More elements of nothing than may be are refused.
#[test]
fn a_claimed_number_of_empty_elements_is_bounded() {
    let claims = |len: u64| mt_proto::encode(&len, 20).expect("is written");
    assert!(decode_strict::<Vec<()>>(&claims(1 << 60)).is_err());
    assert_eq!(
        decode_strict::<Vec<()>>(&claims(1000)).map(|read| read.len()),
        Ok(1000)
    );
}
