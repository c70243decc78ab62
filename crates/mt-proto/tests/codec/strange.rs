//! Types whose two sides differ in strange ways: each value arrives as it was, or is refused.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeMap, HashMap},
    ffi::{CString, OsString},
    fmt::{self, Debug, Display},
    os::unix::ffi::OsStringExt,
    path::PathBuf,
    sync::Arc,
};

use mt_proto::{decode_item, encode_item};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, EnumAccess, IgnoredAny, SeqAccess, VariantAccess, Visitor},
    ser::{SerializeMap, SerializeTuple},
};

/// Sends a value. The error is what is said when it is refused.
#[track_caller]
fn sent<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(
    value: &T,
) -> Result<(), String> {
    let bytes = encode_item(value, usize::MAX).map_err(|error| error.to_string())?;
    let read: T = decode_item(&bytes).map_err(|error| error.to_string())?;
    assert_eq!(&read, value);
    Ok(())
}

#[track_caller]
fn refused<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(value: &T, why: &str) {
    let said = sent(value).expect_err("it is refused");
    assert!(said.contains(why), "{said}");
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum SkippedVariant {
    First,
    #[serde(skip)]
    #[expect(dead_code, reason = "it is never made")]
    Never,
    Third,
    Fourth,
    Fifth(u8),
    Sixth(u8),
}

/// Case 1: A variant behind one that `skip` leaves out is refused, and never read as its neighbour.
#[test]
fn a_variant_behind_a_skipped_one() {
    assert_eq!(sent(&SkippedVariant::First), Ok(()));
    for value in [
        SkippedVariant::Third,
        SkippedVariant::Fourth,
        SkippedVariant::Fifth(5),
        SkippedVariant::Sixth(5),
    ] {
        sent(&value).expect_err("it is read as another variant");
        sent(&vec![Some(value)]).expect_err("it is read as another variant");
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Named {
    FirstOne,
    #[serde(rename = "two")]
    Second(u8),
    Third {
        a: u8,
    },
    #[serde(other)]
    Else,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Aliased {
    #[serde(alias = "AnOldName")]
    First,
    Second,
}

/// Case 1: Variants that are renamed, or stand for all others, cross.
#[test]
fn variants_with_other_names() {
    for value in [
        Named::FirstOne,
        Named::Second(2),
        Named::Third { a: 3 },
        Named::Else,
    ] {
        assert_eq!(sent(&value), Ok(()));
    }
    // Which variant is meant can't be told from those that have been skipped.
    refused(&vec![Aliased::First, Aliased::Second], "do not agree");
}

/// The variant of this number, of 2³² that there are.
#[derive(Debug, PartialEq)]
struct OneOfMany(u32);

impl Serialize for OneOfMany {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_variant("OneOfMany", self.0, "", &self.0)
    }
}

impl<'de> Deserialize<'de> for OneOfMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = OneOfMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any variant")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<OneOfMany, A::Error> {
                let (index, variant) = data.variant::<u32>()?;
                assert_eq!(variant.newtype_variant::<u32>()?, index);
                Ok(OneOfMany(index))
            }
        }
        deserializer.deserialize_enum("OneOfMany", &[], Any)
    }
}

#[test]
fn an_enum_of_any_number_of_variants() {
    for index in [0, 127, 128, 255, 256, 70_000, u32::MAX] {
        assert_eq!(sent(&OneOfMany(index)), Ok(()));
    }
}

/// A map of one key, written twice.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(from = "HashMap<u8, u8>")]
struct Twice(HashMap<u8, u8>);

impl From<HashMap<u8, u8>> for Twice {
    fn from(map: HashMap<u8, u8>) -> Self {
        Self(map)
    }
}

impl Serialize for Twice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(&7_u8, &1_u8)?;
        map.serialize_entry(&7_u8, &2_u8)?;
        map.end()
    }
}

/// Case 1: A map that writes a key twice is read as its type reads it: the last one for a `HashMap`.
#[test]
fn a_key_that_is_written_twice() {
    assert_eq!(sent(&Twice(HashMap::from([(7, 2)]))), Ok(()));
}

/// Text for people, a number otherwise.
#[derive(Debug, PartialEq)]
struct Stamp(u64);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(&self.0),
            false => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => String::deserialize(deserializer).map(|text| Self(text.len() as u64)),
            false => u64::deserialize(deserializer).map(Self),
        }
    }
}

/// Case 1: What is text for people and something else for machines crosses as the latter.
#[test]
fn what_differs_for_people() {
    assert_eq!(sent(&vec![Stamp(7), Stamp(u64::MAX)]), Ok(()));
}

/// Writes a number of another width each time.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(from = "u8")]
struct Fickle(Cell<u8>);

impl From<u8> for Fickle {
    fn from(number: u8) -> Self {
        Self(Cell::new(number))
    }
}

impl Serialize for Fickle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let now = self.0.replace(self.0.get() ^ 1);
        match now {
            0 => serializer.serialize_u8(0),
            _ => serializer.serialize_u16(1),
        }
    }
}

/// Reads the first of two, or what it takes for nothing.
#[derive(Debug, PartialEq)]
struct First<const IGNORES: bool>(u8);

impl<const IGNORES: bool> Serialize for First<IGNORES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.0)?;
        pair.serialize_element(&1_u8)?;
        pair.end()
    }
}

impl<'de, const IGNORES: bool> Deserialize<'de> for First<IGNORES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfTwo<const IGNORES: bool>;
        impl<'de, const IGNORES: bool> Visitor<'de> for OfTwo<IGNORES> {
            type Value = First<IGNORES>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<First<IGNORES>, A::Error> {
                let first = seq.next_element()?.unwrap_or_default();
                if IGNORES {
                    seq.next_element::<IgnoredAny>()?;
                }
                Ok(First(first))
            }
        }
        deserializer.deserialize_tuple(2, OfTwo)
    }
}

/// Case 1: A type that does not write the same twice, or does not read all that it wrote, is refused.
#[test]
fn what_is_not_the_same_twice_or_is_not_all_read() {
    // The first has been written as it is read, the second not.
    let fickle = Fickle(Cell::new(0));
    let bytes = encode_item(&fickle, 100).expect("is written");
    assert_eq!(decode_item(&bytes), Ok(Fickle(Cell::new(0))));
    let bytes = encode_item(&fickle, 100).expect("is written");
    decode_item::<Fickle>(&bytes).expect_err("of another width");
    refused(&First::<false>(7), "do not agree");
    refused(&vec![First::<false>(7), First(7)], "");
    refused(&First::<true>(7), "mt_pool::Json");
}

/// A field of an animal's own, behind a pointer to something unknown.
trait Animal: Debug {
    fn write(&self) -> (&'static str, u32);
}

#[derive(Debug)]
struct Cat(u32);
#[derive(Debug)]
struct Dog(u32);

impl Animal for Cat {
    fn write(&self) -> (&'static str, u32) {
        ("cat", self.0)
    }
}

impl Animal for Dog {
    fn write(&self) -> (&'static str, u32) {
        ("dog", self.0)
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(into = "(String, u32)", try_from = "(String, u32)")]
struct Boxed(Arc<dyn Animal>);

impl Clone for Boxed {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl PartialEq for Boxed {
    fn eq(&self, other: &Self) -> bool {
        self.0.write() == other.0.write()
    }
}

impl From<Boxed> for (String, u32) {
    fn from(boxed: Boxed) -> Self {
        let (name, number) = boxed.0.write();
        (name.to_owned(), number)
    }
}

impl TryFrom<(String, u32)> for Boxed {
    type Error = String;

    fn try_from((name, number): (String, u32)) -> Result<Self, String> {
        Ok(Self(match name.as_str() {
            "cat" => Arc::new(Cat(number)),
            "dog" => Arc::new(Dog(number)),
            other => return Err(format!("nobody knows a {other}")),
        }))
    }
}

/// Case 1: Trait objects that write what they are, owned text and the strings of systems cross.
#[test]
fn what_looks_like_trouble_and_is_none() {
    assert_eq!(
        sent(&vec![Boxed(Arc::new(Cat(1))), Boxed(Arc::new(Dog(2)))]),
        Ok(())
    );
    let text = Cow::Borrowed("text").into_owned();
    assert_eq!(
        sent(&(Cow::<'static, str>::Owned(text), Box::<str>::from("é"))),
        Ok(())
    );
    assert_eq!(sent(&CString::from(c"c\xff")), Ok(()));
    assert_eq!(sent(&OsString::from_vec(vec![0xff, b'a'])), Ok(()));
    let not_text = PathBuf::from(OsString::from_vec(vec![0xff]));
    refused(&not_text, "path contains invalid UTF-8");
    let bits = [f64::NAN, -0.0, 0.0].map(f64::to_bits);
    assert_eq!(
        sent(&BTreeMap::from(bits.map(|key| (key, Some(key))))),
        Ok(())
    );
}

/// A `Display` that writes half of itself.
#[derive(Debug, PartialEq, Deserialize)]
struct Half(String);

impl Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of ")?;
        match self.0.as_str() {
            "" => Err(fmt::Error),
            rest => f.write_str(rest),
        }
    }
}

impl Serialize for Half {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Case 1: What is written by its `Display` is text, and refused when that fails.
#[test]
fn what_is_written_by_its_display() {
    let bytes = encode_item(&Half("it".into()), 100).expect("is written");
    assert_eq!(decode_item(&bytes), Ok(Half("half of it".into())));
    refused(&Half(String::new()), "its `Display` failed");
}

#[derive(Debug, PartialEq, Serialize)]
struct Sent {
    id: u64,
    name: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Narrower {
    id: u32,
    name: String,
}

/// Case 32: A struct that is read as one whose field has another width is refused.
#[test]
fn a_struct_with_a_field_of_another_width() {
    let value = Sent {
        id: 7,
        name: "x".into(),
    };
    let bytes = encode_item(&value, 100).expect("is written");
    let said = decode_item::<Narrower>(&bytes).unwrap_err().to_string();
    assert!(said.contains("written as another type"), "{said}");
}
