//! The parts of a value that have parts, as they are written: what is told of their length is kept, or they are
//! refused.

use serde::{Serialize, ser};

use super::{
    output::{Output, Unwritable},
    shape::{MAX_EMPTY_ELEMENTS, Part, Run},
};

/// The fields of a struct, a tuple, or a variant: how many there are is known to whoever reads them.
#[derive(Debug)]
pub(crate) struct Group<'o, 'a, const CHECKED: bool> {
    output: &'o mut Output<'a, CHECKED>,
    name: &'static str,
    told: usize,
    written: usize,
}

/// A sequence, or a map.
#[derive(Debug)]
pub(crate) struct WrittenElements<'o, 'a, const CHECKED: bool> {
    output: &'o mut Output<'a, CHECKED>,
    told: usize,
    /// Of a map: its keys.
    written: usize,
    /// Of a map.
    values: usize,
    start: usize,
    run: Run,
}

impl<'o, 'a, const CHECKED: bool> Group<'o, 'a, CHECKED> {
    #[inline]
    pub(super) fn new(
        output: &'o mut Output<'a, CHECKED>,
        name: &'static str,
        told: usize,
    ) -> Result<Self, Unwritable> {
        output.open(Part::Group)?;
        Ok(Self {
            output,
            name,
            told,
            written: 0,
        })
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.written += 1;
        value.serialize(&mut *self.output)
    }

    #[inline]
    fn finish(self) -> Result<(), Unwritable> {
        if self.written != self.told {
            return Err(miscounted(self.name, self.told, self.written));
        }
        self.output.close();
        Ok(())
    }

    #[cold]
    fn skipped(&self, key: &str) -> Unwritable {
        let name = self.name;
        Unwritable::refused(format_args!(
            "field `{key}` of `{name}` is left out (`skip_serializing_if`), and the encoding has no word for what is \
             not there: wrap the value in `mt_pool::Json`, or drop the attribute"
        ))
    }
}

impl<'o, 'a, const CHECKED: bool> WrittenElements<'o, 'a, CHECKED> {
    #[inline]
    pub(super) fn new(
        output: &'o mut Output<'a, CHECKED>,
        part: Part,
        told: Option<usize>,
    ) -> Result<Self, Unwritable> {
        let Some(told) = told else {
            return Err(unknown_length());
        };
        output.open(part)?;
        output.varint(told as u64)?;
        output.expect(told);
        let (start, run) = (output.len(), output.run());
        Ok(Self {
            output,
            told,
            written: 0,
            values: 0,
            start,
            run,
        })
    }

    #[inline]
    fn end_element(&mut self) {
        let left = self.told.wrapping_sub(self.written);
        self.output.end_element(&mut self.run, left);
    }

    #[inline]
    fn finish(self, what: &str) -> Result<(), Unwritable> {
        if self.written != self.told {
            return Err(miscounted(what, self.told, self.written));
        }
        if self.told > MAX_EMPTY_ELEMENTS && self.output.len() - self.start < self.told {
            return Err(Unwritable::refused(format_args!(
                "a sequence of {} elements that take no bytes; {MAX_EMPTY_ELEMENTS} are the most",
                self.told
            )));
        }
        self.output.end_run(&self.run);
        self.output.close();
        Ok(())
    }
}

#[cold]
fn miscounted(name: &str, told: usize, written: usize) -> Unwritable {
    Unwritable::refused(format_args!(
        "the `Serialize` of `{name}` told {told} parts and wrote {written}"
    ))
}

#[cold]
fn unknown_length() -> Unwritable {
    Unwritable::refused(
        "the length of a sequence or a map is not known before it is walked (`flatten`, or an iterator without an \
         exact length): wrap the value in `mt_pool::Json`, or collect it first",
    )
}

impl<const CHECKED: bool> ser::SerializeSeq for WrittenElements<'_, '_, CHECKED> {
    type Ok = ();
    type Error = Unwritable;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.written += 1;
        self.output.begin_element();
        value.serialize(&mut *self.output)?;
        self.end_element();
        Ok(())
    }

    #[inline]
    fn end(self) -> Result<(), Unwritable> {
        self.finish("a sequence")
    }
}

impl<const CHECKED: bool> ser::SerializeMap for WrittenElements<'_, '_, CHECKED> {
    type Ok = ();
    type Error = Unwritable;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.written += 1;
        self.output.begin_element();
        key.serialize(&mut *self.output)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.values += 1;
        if self.values != self.written {
            return Err(miscounted("a map's keys", self.values, self.written));
        }
        value.serialize(&mut *self.output)?;
        self.end_element();
        Ok(())
    }

    #[inline]
    fn end(self) -> Result<(), Unwritable> {
        if self.values != self.written {
            return Err(miscounted("a map's keys", self.written, self.values));
        }
        self.finish("a map")
    }
}

impl<const CHECKED: bool> ser::SerializeTuple for Group<'_, '_, CHECKED> {
    type Ok = ();
    type Error = Unwritable;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.field(value)
    }

    #[inline]
    fn end(self) -> Result<(), Unwritable> {
        self.finish()
    }
}

/// The containers whose parts are fields without names.
macro_rules! unnamed {
    ($($container:ident),*) => {$(
        impl<const CHECKED: bool> ser::$container for Group<'_, '_, CHECKED> {
            type Ok = ();
            type Error = Unwritable;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.field(value)
            }

            #[inline]
            fn end(self) -> Result<(), Unwritable> {
                self.finish()
            }
        }
    )*};
}

/// The containers whose fields have names.
macro_rules! named {
    ($($container:ident),*) => {$(
        impl<const CHECKED: bool> ser::$container for Group<'_, '_, CHECKED> {
            type Ok = ();
            type Error = Unwritable;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.field(value)
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), Unwritable> {
                Err(self.skipped(key))
            }

            #[inline]
            fn end(self) -> Result<(), Unwritable> {
                self.finish()
            }
        }
    )*};
}

unnamed!(SerializeTupleStruct, SerializeTupleVariant);
named!(SerializeStruct, SerializeStructVariant);
