//! What serde says of a value, written.

use std::fmt::{Display, Write};

use serde::{Serialize, Serializer};

use super::{
    attachable::{self, ATTACHABLE},
    containers::{Group, WrittenElements},
    output::{Output, Unwritable},
    shape::Part,
};

/// Numbers of one byte, of a fixed width, and of as many bytes as they need.
macro_rules! numbers {
    ($($method:ident($ty:ty) is $part:ident, $write:expr;)*) => {$(
        #[inline]
        fn $method(self, value: $ty) -> Result<(), Unwritable> {
            let write: fn(&mut Output<'_, CHECKED>, $ty) -> Result<(), Unwritable> = $write;
            write(self, value)?;
            self.leaf(Part::$part);
            Ok(())
        }
    )*};
}

impl<'o, 'a, const CHECKED: bool> Serializer for &'o mut Output<'a, CHECKED> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = WrittenElements<'o, 'a, CHECKED>;
    type SerializeTuple = Group<'o, 'a, CHECKED>;
    type SerializeTupleStruct = Group<'o, 'a, CHECKED>;
    type SerializeTupleVariant = Group<'o, 'a, CHECKED>;
    type SerializeMap = WrittenElements<'o, 'a, CHECKED>;
    type SerializeStruct = Group<'o, 'a, CHECKED>;
    type SerializeStructVariant = Group<'o, 'a, CHECKED>;

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        serialize_bool(bool) is Bool, |output, value| output.byte(value.into());
        serialize_i8(i8) is I8, |output, value| output.byte(value as u8);
        serialize_i16(i16) is I16, |output, value| output.varint(zigzag(value.into()));
        serialize_i32(i32) is I32, |output, value| output.varint(zigzag(value.into()));
        serialize_i64(i64) is I64, |output, value| output.varint(zigzag(value));
        serialize_i128(i128) is I128, |output, value| {
            output.varint_128(((value << 1) ^ (value >> 127)) as u128)
        };
        serialize_u8(u8) is U8, |output, value| output.byte(value);
        serialize_u16(u16) is U16, |output, value| output.varint(value.into());
        serialize_u32(u32) is U32, |output, value| output.varint(value.into());
        serialize_u64(u64) is U64, |output, value| output.varint(value);
        serialize_u128(u128) is U128, |output, value| output.varint_128(value);
        serialize_f32(f32) is F32, |output, value| output.slice(&value.to_bits().to_le_bytes());
        serialize_f64(f64) is F64, |output, value| output.slice(&value.to_bits().to_le_bytes());
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Unwritable> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritable> {
        self.leaf(Part::Text);
        self.varint(value.len() as u64)?;
        self.slice(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Unwritable> {
        self.leaf(Part::None);
        self.byte(0)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        self.open(Part::Some)?;
        self.byte(1)?;
        value.serialize(&mut *self)?;
        self.leave();
        Ok(())
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Unwritable> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<(), Unwritable> {
        self.varint(index.into())?;
        self.variant(variant);
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        // Which it is is known when it is compiled.
        if name == ATTACHABLE {
            return attachable::write(self, value);
        }
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.serialize_unit_variant(name, index, variant)?;
        self.open(Part::Some)?;
        value.serialize(&mut *self)?;
        self.leave();
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, Unwritable> {
        WrittenElements::new(self, Part::Seq, len)
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, Unwritable> {
        Group::new(self, "a tuple", len)
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, Unwritable> {
        Group::new(self, name, len)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        self.serialize_unit_variant(name, index, variant)?;
        Group::new(self, variant, len)
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, Unwritable> {
        WrittenElements::new(self, Part::Map, len)
    }

    #[inline]
    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, Unwritable> {
        Group::new(self, name, len)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        self.serialize_unit_variant(name, index, variant)?;
        Group::new(self, variant, len)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        let mut text = String::new();
        if write!(text, "{value}").is_err() {
            return Err(Unwritable::refused("its `Display` failed"));
        }
        self.serialize_str(&text)
    }
}

/// Small numbers of either sign as small ones without.
#[inline]
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
