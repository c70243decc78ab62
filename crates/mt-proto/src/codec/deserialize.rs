//! What serde asks for, read.

use serde::de::{Deserializer, Visitor};

use super::{
    access::{Variant, elements, group},
    attachable::{self, ATTACHABLE},
    input::{Input, Unreadable},
    shape::Part,
};

/// Numbers of one byte, of a fixed width, and of as many bytes as they need.
macro_rules! numbers {
    ($($method:ident is $part:ident, $visit:ident, $read:expr;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            let read: fn(&mut Input<'de, CHECKED>) -> Result<_, Unreadable> = $read;
            let value = read(self)?;
            self.leaf(Part::$part);
            visitor.$visit(value)
        }
    )*};
}

/// What would have to say of itself what it is.
macro_rules! undescribed {
    ($($method:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unreadable> {
            Err(undescribed())
        }
    )*};
}

impl<'de, const CHECKED: bool> Deserializer<'de> for &mut Input<'de, CHECKED> {
    type Error = Unreadable;

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    undescribed!(
        deserialize_any,
        deserialize_identifier,
        deserialize_ignored_any
    );

    numbers! {
        deserialize_i8 is I8, visit_i8, |input| Ok(input.byte()? as i8);
        deserialize_i16 is I16, visit_i16, |input| Ok(unzigzag(input.varint(16)?) as i16);
        deserialize_i32 is I32, visit_i32, |input| Ok(unzigzag(input.varint(32)?) as i32);
        deserialize_i64 is I64, visit_i64, |input| Ok(unzigzag(input.varint(64)?));
        deserialize_i128 is I128, visit_i128, |input| {
            let read = input.varint_128()?;
            Ok((read >> 1) as i128 ^ -((read & 1) as i128))
        };
        deserialize_u8 is U8, visit_u8, |input| input.byte();
        deserialize_u16 is U16, visit_u16, |input| Ok(input.varint(16)? as u16);
        deserialize_u32 is U32, visit_u32, |input| Ok(input.varint(32)? as u32);
        deserialize_u64 is U64, visit_u64, |input| input.varint(64);
        deserialize_u128 is U128, visit_u128, |input| input.varint_128();
        deserialize_f32 is F32, visit_f32, |input| Ok(f32::from_le_bytes(input.array()?));
        deserialize_f64 is F64, visit_f64, |input| Ok(f64::from_le_bytes(input.array()?));
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.leaf(Part::Bool);
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            other => Err(no_such(other, "bool")),
        }
    }

    #[inline]
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let mut chars = text(self)?.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => visitor.visit_char(only),
            _ => Err(unlike("a text that is not one character")),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_borrowed_str(text(self)?)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_str(text(self)?)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_borrowed_bytes(byte_string(self)?)
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_bytes(byte_string(self)?)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.byte()? {
            0 => {
                self.leaf(Part::None);
                visitor.visit_none()
            }
            1 => {
                self.open(Part::Some)?;
                let value = visitor.visit_some(&mut *self)?;
                self.leave();
                Ok(value)
            }
            other => Err(no_such(other, "Option")),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        // Which it is is known when it is compiled.
        if name == ATTACHABLE {
            return attachable::read(self, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        elements(self, Part::Seq, |elements| visitor.visit_seq(elements))
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        group(self, len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        group(self, len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        elements(self, Part::Map, |elements| visitor.visit_map(elements))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        group(self, fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_enum(Variant::new(self, variants))
    }
}

#[inline]
fn byte_string<'de, const CHECKED: bool>(
    input: &mut Input<'de, CHECKED>,
) -> Result<&'de [u8], Unreadable> {
    input.leaf(Part::Text);
    let len = input.len()?;
    input.slice(len)
}

#[inline]
fn text<'de, const CHECKED: bool>(input: &mut Input<'de, CHECKED>) -> Result<&'de str, Unreadable> {
    let bytes = byte_string(input)?;
    std::str::from_utf8(bytes).map_err(|_| unlike("a text that is not UTF-8"))
}

/// Undoes what makes small numbers of either sign small.
#[inline]
fn unzigzag(read: u64) -> i64 {
    (read >> 1) as i64 ^ -((read & 1) as i64)
}

#[cold]
#[inline(never)]
fn no_such(byte: u8, what: &'static str) -> Unreadable {
    Unreadable::because(format_args!("{byte} is no `{what}`"))
}

#[cold]
#[inline(never)]
fn unlike(what: &'static str) -> Unreadable {
    Unreadable::because(what)
}

#[cold]
fn undescribed() -> Unreadable {
    Unreadable::because(
        "its type has to be told what was written before it can read it (`untagged`, `tag`, `flatten`, \
         `serde_json::Value`), and the encoding has no word for that: wrap the value in `mt_pool::Json`",
    )
}
