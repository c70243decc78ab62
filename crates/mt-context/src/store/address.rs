//! Addresses of objects: `s3://bucket/key`, `file:///path`, `memory://name/key`.

use std::fmt;

use object_store::path::Path;

use super::error::{Operation, StoreError, StoreErrorKind};

/// Where objects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// A bucket of S3, or of a server that speaks like it.
    S3,
    /// The files of this machine. There is no bucket: the key is the path without its first `/`.
    File,
    /// The memory of this process, for tests. A bucket is there when it is named.
    Memory,
}

/// The address of an object, or of all whose keys begin alike.
///
/// A key is taken as it is written: nothing in it is percent-encoded, so `s3://b/50%20off` is an object whose name has a
/// `%` in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectUrl {
    pub(crate) scheme: Scheme,
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl ObjectUrl {
    /// Takes an address apart.
    ///
    /// # Errors
    /// [`StoreErrorKind::BadAddress`] if the scheme is another one or there is no bucket.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let bad = |problem| {
            let kind = StoreErrorKind::BadAddress;
            Err(StoreError::new(Operation::Parse, url, kind, problem))
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return bad("an address begins with s3://, file:// or memory://");
        };
        let scheme = match scheme {
            "s3" => Scheme::S3,
            "file" => Scheme::File,
            "memory" => Scheme::Memory,
            _ => return bad("an address begins with s3://, file:// or memory://"),
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        match scheme {
            Scheme::File if !bucket.is_empty() => {
                return bad("a file's address has three slashes: file:///path");
            }
            Scheme::S3 | Scheme::Memory if bucket.is_empty() => {
                return bad("the bucket is missing");
            }
            Scheme::S3 | Scheme::Memory | Scheme::File => {}
        }
        Ok(Self {
            scheme,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Where objects are.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The bucket's name; empty for files.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object's key, or what the keys begin with; empty for a whole bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The address of another key there.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// The key as the library below takes it, which leaves it as it is or refuses it.
    pub(super) fn path(&self, operation: Operation) -> Result<Path, StoreError> {
        let bad = |problem: &str| {
            let kind = StoreErrorKind::BadAddress;
            StoreError::new(operation, self.to_string(), kind, problem)
        };
        if self.key.is_empty() {
            return Err(bad("the key is missing"));
        }
        match Path::parse(&self.key) {
            Ok(path) if path.as_ref() == self.key => Ok(path),
            Ok(_) => Err(bad("a key that begins or ends with a slash can't be used")),
            Err(_) => Err(bad(
                "a key with an empty part, `.`, `..` or a control character can't be used",
            )),
        }
    }
}

impl fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::S3 => "s3",
            Scheme::File => "file",
            Scheme::Memory => "memory",
        };
        write!(f, "{scheme}://{}/{}", self.bucket, self.key)
    }
}

/// The address `s3://bucket/prefix` (the seed's `join`).
///
/// ```
/// assert_eq!(mt_context::store::join("data", "2024/a b.csv"), "s3://data/2024/a b.csv");
/// ```
#[must_use]
pub fn join(bucket: &str, prefix: &str) -> String {
    format!("s3://{bucket}/{prefix}")
}

/// Takes `s3://bucket/prefix` apart (the seed's `split`); the prefix is `None` when nothing follows the bucket.
///
/// ```
/// # use mt_context::store::split;
/// assert_eq!(split("s3://data/2024/").unwrap(), ("data".to_owned(), Some("2024/".to_owned())));
/// assert_eq!(split("s3://data").unwrap(), ("data".to_owned(), None));
/// ```
///
/// # Errors
/// [`StoreErrorKind::BadAddress`] if it is no address.
pub fn split(url: &str) -> Result<(String, Option<String>), StoreError> {
    let ObjectUrl { bucket, key, .. } = ObjectUrl::parse(url)?;
    Ok((bucket, Some(key).filter(|key| !key.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::{ObjectUrl, Scheme};
    use crate::store::Operation;

    #[test]
    fn an_address_is_told_as_it_was_written() {
        for url in [
            "s3://b/a b+c%20é",
            "s3://b/",
            "file:///tmp/x",
            "memory://m/~",
        ] {
            assert_eq!(ObjectUrl::parse(url).unwrap().to_string(), url);
        }
        let file = ObjectUrl::parse("file:///tmp/x").unwrap();
        assert_eq!((file.scheme, file.key()), (Scheme::File, "tmp/x"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "b/k",
            "http://b/k",
            "s3:///k",
            "memory:///k",
            "file://host/k",
        ] {
            assert!(ObjectUrl::parse(url).is_err(), "{url}");
        }
        for key in ["", "/a", "a/", "a//b", "a/../b", "./a", "a\u{7}"] {
            let url = ObjectUrl::parse(&format!("s3://b/{key}")).unwrap();
            assert!(url.path(Operation::Get).is_err(), "{key:?}");
        }
    }
}
