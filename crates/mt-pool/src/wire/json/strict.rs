//! A value on its way to JSON, of which nothing becomes another value: what JSON would write as `null` and read as
//! `None` is refused, and what nests deeper than can be read.

use serde::{
    Serialize, Serializer,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

/// The most containers within each other that `serde_json` reads; and the most `Some` directly within each other.
const MAX_NESTING: u32 = 127;

/// Where in a value something is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Depth {
    /// The containers around it.
    containers: u32,
    /// The `Some` around it, up to the innermost container.
    somes: u32,
}

/// What is written with care: a value, or the serializer that it is written by.
#[derive(Debug)]
pub(super) struct Strict<T> {
    pub(super) inner: T,
    pub(super) place: Depth,
}

impl Depth {
    fn inside<E: Error>(self) -> Result<Self, E> {
        let containers = self.containers + 1;
        Self {
            containers,
            somes: 0,
        }
        .checked()
    }

    fn some<E: Error>(self) -> Result<Self, E> {
        let somes = self.somes + 1;
        Self { somes, ..self }.checked()
    }

    fn checked<E: Error>(self) -> Result<Self, E> {
        match self.containers.max(self.somes) {
            0..=MAX_NESTING => Ok(self),
            _ => Err(E::custom(format_args!(
                "the value nests too deep: JSON is read to {MAX_NESTING} containers within each other"
            ))),
        }
    }

    /// Here something is written as `null`.
    fn null<E: Error>(self, what: &str) -> Result<(), E> {
        match self.somes {
            0 => Ok(()),
            _ => Err(E::custom(format_args!(
                "`Some` of {what} would be `null` in JSON, which is read as `None`"
            ))),
        }
    }

    /// A number that may be none.
    fn number<E: Error>(number: f64) -> Result<(), E> {
        match number.is_finite() {
            true => Ok(()),
            false => Err(E::custom(format_args!("JSON has no word for {number}"))),
        }
    }

    fn within<T: ?Sized>(self, value: &T) -> Strict<&T> {
        Strict {
            inner: value,
            place: self,
        }
    }
}

impl<T: Serialize + ?Sized> Serialize for Strict<&T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let place = self.place;
        self.inner.serialize(Strict { inner, place })
    }
}

/// What is written as it is.
macro_rules! forward {
    ($($method:ident($ty:ty)),*) => {$(
        fn $method(self, value: $ty) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

/// Containers: what is in them is one deeper.
macro_rules! containers {
    ($($method:ident($($arg:ident: $ty:ty),*) -> $container:ident;)*) => {$(
        fn $method(self, $($arg: $ty),*) -> Result<Self::$container, S::Error> {
            let place = self.place.inside()?;
            let inner = self.inner.$method($($arg),*)?;
            Ok(Strict { inner, place })
        }
    )*};
}

impl<S: Serializer> Serializer for Strict<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Strict<S::SerializeSeq>;
    type SerializeTuple = Strict<S::SerializeTuple>;
    type SerializeTupleStruct = Strict<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Strict<S::SerializeTupleVariant>;
    type SerializeMap = Strict<S::SerializeMap>;
    type SerializeStruct = Strict<S::SerializeStruct>;
    type SerializeStructVariant = Strict<S::SerializeStructVariant>;

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    forward! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_u128(u128), serialize_char(char), serialize_str(&str), serialize_bytes(&[u8])
    }

    containers! {
        serialize_seq(len: Option<usize>) -> SerializeSeq;
        serialize_tuple(len: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant;
        serialize_map(len: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant;
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        Depth::number(value.into())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        Depth::number(value)?;
        self.inner.serialize_f64(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.place.null("`None`")?;
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.place.null("`()`")?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.place.null(name)?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let place = self.place.some()?;
        self.inner.serialize_some(&place.within(value))
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.place.within(value);
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let place = self.place.inside()?;
        let value = place.within(value);
        self.inner
            .serialize_newtype_variant(name, index, variant, &value)
    }
}

/// The parts of a container that have no names.
macro_rules! parts {
    ($($container:ident, $part:ident;)*) => {$(
        impl<C: $container> $container for Strict<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$part(&self.place.within(value))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

/// The parts of one that have.
macro_rules! fields {
    ($($container:ident),*) => {$(
        impl<C: $container> $container for Strict<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                self.inner.serialize_field(key, &self.place.within(value))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

parts! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}
fields!(SerializeStruct, SerializeStructVariant);

impl<C: SerializeMap> SerializeMap for Strict<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(&self.place.within(key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&self.place.within(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
