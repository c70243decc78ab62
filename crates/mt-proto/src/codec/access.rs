//! The parts of a value that have parts, as they are read.

use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{
    input::{Input, Unreadable},
    shape::{MAX_EMPTY_ELEMENTS, Part, Run},
};

/// The fields of a struct, a tuple, or a variant.
#[derive(Debug)]
struct Fields<'i, 'de, const CHECKED: bool> {
    input: &'i mut Input<'de, CHECKED>,
    left: usize,
}

/// The elements of a sequence, or of a map.
#[derive(Debug)]
pub(super) struct Elements<'i, 'de, const CHECKED: bool> {
    input: &'i mut Input<'de, CHECKED>,
    left: usize,
    /// Whether there may be room made for them before they are seen.
    reserved: bool,
    run: Run,
}

/// A variant of an enum.
#[derive(Debug)]
pub(super) struct Variant<'i, 'de, const CHECKED: bool> {
    input: &'i mut Input<'de, CHECKED>,
    /// The names of those that are read.
    names: &'static [&'static str],
}

impl<'i, 'de, const CHECKED: bool> Variant<'i, 'de, CHECKED> {
    #[inline]
    pub(super) fn new(input: &'i mut Input<'de, CHECKED>, names: &'static [&'static str]) -> Self {
        Self { input, names }
    }
}

/// Reads the fields of a struct, a tuple, or a variant, at most so many: names that only mean another field are
/// counted by whoever asks.
#[inline]
pub(super) fn group<'de, V: Visitor<'de>, const CHECKED: bool>(
    input: &mut Input<'de, CHECKED>,
    most: usize,
    visitor: V,
) -> Result<V::Value, Unreadable> {
    input.open(Part::Group)?;
    let fields = Fields {
        input: &mut *input,
        left: most,
    };
    let value = visitor.visit_seq(fields)?;
    input.close();
    Ok(value)
}

/// Reads a sequence, or a map.
#[inline]
pub(super) fn elements<'de, T, const CHECKED: bool>(
    input: &mut Input<'de, CHECKED>,
    part: Part,
    read: impl FnOnce(Elements<'_, 'de, CHECKED>) -> Result<T, Unreadable>,
) -> Result<T, Unreadable> {
    input.open(part)?;
    let claimed = input.len()?;
    if claimed > MAX_EMPTY_ELEMENTS && claimed > input.left().len() {
        return Err(too_many(claimed, input.left().len()));
    }
    let reserved = input.reserve(claimed);
    let run = input.run();
    let value = read(Elements {
        input: &mut *input,
        left: claimed,
        reserved,
        run,
    })?;
    input.close();
    Ok(value)
}

#[cold]
#[inline(never)]
fn too_many(claimed: usize, bytes: usize) -> Unreadable {
    Unreadable::because(format_args!(
        "{claimed} elements are claimed of {bytes} bytes"
    ))
}

impl<'de, const CHECKED: bool> SeqAccess<'de> for Fields<'_, 'de, CHECKED> {
    type Error = Unreadable;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Unreadable> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.input).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<const CHECKED: bool> Elements<'_, '_, CHECKED> {
    /// The next element begins, if there is one.
    #[inline]
    fn begin(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.input.begin_element();
        true
    }

    #[inline]
    fn end(&mut self) {
        self.input.end_element(&mut self.run, self.left);
    }
}

/// Whoever reads the elements has as many as are wanted.
impl<const CHECKED: bool> Drop for Elements<'_, '_, CHECKED> {
    #[inline]
    fn drop(&mut self) {
        self.input.end_run(&self.run);
    }
}

impl<'de, const CHECKED: bool> SeqAccess<'de> for Elements<'_, 'de, CHECKED> {
    type Error = Unreadable;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Unreadable> {
        if !self.begin() {
            return Ok(None);
        }
        let element = seed.deserialize(&mut *self.input)?;
        self.end();
        Ok(Some(element))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.reserved.then_some(self.left)
    }
}

impl<'de, const CHECKED: bool> MapAccess<'de> for Elements<'_, 'de, CHECKED> {
    type Error = Unreadable;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Unreadable> {
        match self.begin() {
            true => seed.deserialize(&mut *self.input).map(Some),
            false => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Unreadable> {
        let value = seed.deserialize(&mut *self.input)?;
        self.end();
        Ok(value)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.reserved.then_some(self.left)
    }
}

impl<'de, const CHECKED: bool> EnumAccess<'de> for Variant<'_, 'de, CHECKED> {
    type Error = Unreadable;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), Unreadable> {
        let index = self.input.varint(32)? as u32;
        self.input
            .variant(self.names.get(index as usize).unwrap_or(&""));
        let variant = seed.deserialize(index.into_deserializer())?;
        Ok((variant, self))
    }
}

impl<'de, const CHECKED: bool> VariantAccess<'de> for Variant<'_, 'de, CHECKED> {
    type Error = Unreadable;

    #[inline]
    fn unit_variant(self) -> Result<(), Unreadable> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, Unreadable> {
        self.input.open(Part::Some)?;
        let value = seed.deserialize(&mut *self.input)?;
        self.input.leave();
        Ok(value)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        group(self.input, len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        group(self.input, fields.len(), visitor)
    }
}
