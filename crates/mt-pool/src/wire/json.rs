//! A value that crosses as JSON.

mod strict;

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser::Error};

use strict::{Depth, Strict};

/// A value that crosses as JSON text: for types that postcard cannot carry (see [`Wire`](crate::Wire)). Feature
/// `json`.
///
/// What JSON cannot carry is an error where it is written: maps whose keys are no strings or numbers, `NaN` and the
/// infinities, `Some(None)` and `Some(())` (which it would read as `None`), and more than 127 containers within each
/// other. JSON is several times as large and as slow as postcard,
/// so wrap the field that needs it and not the whole value. Where it is itself written as JSON it is what is in it.
///
/// ```
/// use mt_pool::{Json, asyn_pmap};
///
/// #[mt_pool::task]
/// fn keys(Json(value): Json<serde_json::Value>) -> usize {
///     value.as_object().map_or(0, |object| object.len())
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let inputs = [r#"{"a": 1, "b": null}"#, "[]"].map(|text| Json(serde_json::from_str(text).unwrap()));
///     let counts: Result<Vec<usize>, _> = asyn_pmap::<keys>(inputs).processes(1).start()?.into_iter().collect();
///     assert_eq!(counts?, [2, 0]);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Json<T>(pub T);

impl<T: Serialize> Json<T> {
    /// The value as JSON that is in memory.
    ///
    /// # Errors
    /// What JSON cannot carry, as where it crosses.
    pub fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(strict(&self.0))
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // JSON itself, or another format that says what is what.
        if serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        let text = serde_json::to_string(&strict(&self.0)).map_err(Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return T::deserialize(deserializer).map(Json);
        }
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text)
            .map(Json)
            .map_err(serde::de::Error::custom)
    }
}

fn strict<T>(inner: &T) -> Strict<&T> {
    let place = Depth::default();
    Strict { inner, place }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mt_proto::{MAX_RECORD_BYTES, decode_item, decode_strict, encode, encode_item};

    use super::*;

    /// What each of these attributes does, postcard can write and not read, or not even write.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Hard {
        #[serde(flatten)]
        rest: BTreeMap<String, u32>,
        any: Untagged,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        skipped: Option<u8>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u32),
        Text(String),
    }

    /// Case M16: `Json` carries what the encoding refuses.
    #[test]
    fn what_postcard_does_not_carry_crosses_as_json() {
        for any in [Untagged::Number(7), Untagged::Text("seven".into())] {
            let hard = Hard {
                rest: BTreeMap::from([("a".to_owned(), 1)]),
                any,
                skipped: None,
            };
            let bytes = encode(&Json(&hard), MAX_RECORD_BYTES).expect("JSON carries it");
            assert_eq!(
                decode_strict::<Json<Hard>>(&bytes).expect("and back"),
                Json(hard)
            );
        }
    }

    /// Case 1: A `serde_json::Value` by itself is an error that advises `Json`, in which it crosses.
    #[test]
    fn values_of_json_need_it() {
        for text in ["null", "7", "[1]", r#"{"a": 1}"#] {
            let value: serde_json::Value = serde_json::from_str(text).expect("is JSON");
            let alone =
                encode_item(&value, 100).map(|bytes| decode_item::<serde_json::Value>(&bytes));
            let said = match alone {
                Err(error) => error.to_string(),
                Ok(read) => read.expect_err("it is not known what it is").to_string(),
            };
            assert!(said.contains("mt_pool::Json"), "{said}");
            let bytes = encode_item(&Json(value.clone()), 100).expect("JSON carries it");
            assert_eq!(decode_item(&bytes), Ok(Json(value)));
        }
    }

    /// Case M17: What JSON can't carry is refused where it is written.
    #[test]
    fn as_json_it_is_what_is_in_it() {
        let value = Json(BTreeMap::from([("a".to_owned(), Json(7))]));
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":7}"#);
        let read: Json<BTreeMap<String, Json<u8>>> = serde_json::from_str(r#"{"a":7}"#).unwrap();
        assert_eq!(read, value);
        let bytes = encode(&value, MAX_RECORD_BYTES).unwrap();
        assert_eq!(value.to_value().unwrap(), serde_json::json!({"a": 7}));
        assert_eq!(decode_strict(&bytes), Ok(value));
    }

    #[test]
    fn what_json_does_not_carry_is_refused() {
        let pairs = BTreeMap::from([((1, 2), 3)]);
        assert!(
            encode(&Json(&pairs), MAX_RECORD_BYTES).is_err(),
            "keys that are pairs"
        );
    }

    #[test]
    fn what_would_be_another_value_is_refused() {
        fn refused<T: Serialize>(value: T, why: &str) {
            let said = encode(&Json(value), MAX_RECORD_BYTES)
                .unwrap_err()
                .to_string();
            assert!(said.contains(why), "{said}");
        }
        refused(f64::NAN, "no word for NaN");
        refused(vec![Some(f32::INFINITY)], "no word for inf");
        refused(BTreeMap::from([(1, Some(f64::NAN))]), "no word for NaN");
        refused(Some(None::<u8>), "read as `None`");
        refused([Some(())], "read as `None`");
        for value in [None, Some(vec![None, Some(0.1_f32 + 0.2)])] {
            let bytes = encode(&Json(&value), MAX_RECORD_BYTES).expect("is told apart");
            let read: Json<Option<Vec<Option<f32>>>> = decode_strict(&bytes).expect("and back");
            assert_eq!(read.0, value);
        }
        for number in [0.1 + 0.2, f64::MIN_POSITIVE, 123_456_789.123_456_79, -0.0] {
            let bytes = encode(&Json(number), MAX_RECORD_BYTES).expect("is written");
            let read: Json<f64> = decode_strict(&bytes).expect("and read");
            assert_eq!(read.0.to_bits(), number.to_bits());
        }
    }

    #[test]
    fn what_nests_too_deep_is_refused_on_both_sides() {
        #[derive(Default, Serialize, Deserialize)]
        struct Deep(Vec<Deep>);
        #[derive(Default, Serialize, Deserialize)]
        struct Chain(Option<Box<Chain>>);
        let deep = |levels| (1..levels).fold(Deep::default(), |below, _| Deep(vec![below]));
        let bytes = encode(&Json(deep(127)), MAX_RECORD_BYTES).expect("not too deep");
        assert!(decode_strict::<Json<Deep>>(&bytes).is_ok());
        let (deep, chain) = (
            deep(60_000),
            (1..60_000).fold(Chain::default(), |below, _| Chain(Some(Box::new(below)))),
        );
        for refused in [
            encode(&Json(&deep), MAX_RECORD_BYTES),
            encode(&Json(&chain), MAX_RECORD_BYTES),
        ] {
            assert!(refused.unwrap_err().to_string().contains("nests too deep"));
        }
        std::mem::forget((deep, chain));
        let text = encode(&"[".repeat(60_000), MAX_RECORD_BYTES).expect("is text");
        let said = decode_strict::<Json<Deep>>(&text)
            .err()
            .expect("too deep")
            .to_string();
        assert!(said.contains("recursion limit exceeded"), "{said}");
    }
}
