//! A value that crosses as JSON.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

/// A value that crosses as JSON text: for types that postcard cannot carry (see [`Wire`](crate::Wire)). Feature
/// `json`.
///
/// What JSON cannot carry stays behind: maps whose keys are no strings or numbers are an error, and `NaN` and the
/// infinities become `null`, which no `f64` is read from. JSON is several times as large and as slow as postcard,
/// so wrap the field that needs it and not the whole value.
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
        let text = serde_json::to_string(&self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text)
            .map(Json)
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mt_proto::{MAX_RECORD_BYTES, decode_strict, encode};

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

    #[test]
    fn what_json_does_not_carry_is_refused() {
        let pairs = BTreeMap::from([((1, 2), 3)]);
        assert!(
            encode(&Json(&pairs), MAX_RECORD_BYTES).is_err(),
            "keys that are pairs"
        );
        let bytes = encode(&Json(f64::NAN), MAX_RECORD_BYTES).expect("written as null");
        assert!(
            decode_strict::<Json<f64>>(&bytes).is_err(),
            "and not read as another value"
        );
    }
}
