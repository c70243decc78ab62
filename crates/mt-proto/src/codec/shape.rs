//! What was written, and what is read: the same, or it is no value.

/// The most elements that take no bytes (`()`, unit structs) in one sequence: a sequence that claims more is refused,
/// for its length is all that there is of it, and whoever reads it would count for ever.
pub const MAX_EMPTY_ELEMENTS: usize = 1 << 24;

/// What the parts of a value were written as, or are read as, one after the other, as a number.
///
/// Widths and signs of numbers count, the names of variants, and where structs, tuples, sequences and maps begin and
/// end. Other names do not: a struct is a tuple, and a newtype is what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape(u64);

/// The parts of values. Text is a string, a character, or a byte string: they are the same bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Bool = 1,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Text,
    None,
    Some,
    Variant,
    Group,
    Seq,
    Map,
    End,
    Attachable,
}

impl Part {
    /// Numbers that have little to do with each other.
    const fn number(self) -> u64 {
        let mut mixed = (self as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }
}

impl Shape {
    pub(super) const EMPTY: Self = Self(0);

    /// A part that has no others. Two cycles, for there may be many.
    #[inline]
    pub(super) fn leaf(&mut self, part: Part) {
        self.0 = self.0.rotate_left(5).wrapping_add(part.number());
    }

    /// A variant of an enum, by its name: its number alone is not the same on both sides when `skip` leaves one out.
    #[inline]
    pub(super) fn variant(&mut self, name: &str) {
        self.0 ^= Part::Variant.number() ^ name_number(name.as_bytes());
        self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// The beginning or the end of one that has.
    #[inline]
    pub(super) fn bracket(&mut self, part: Part) {
        self.0 = (self.0 ^ part.number()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    // Not inlined, or it would be computed for every element.
    #[inline(never)]
    fn and_another(self, element: Self, left: usize) -> Self {
        let mixed = (self.0 ^ element.0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(mixed.wrapping_add(left as u64))
    }

    /// What stands behind a checked value.
    #[inline]
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed >> 32) as u32).to_le_bytes()
    }
}

/// A number for each name. Loads of a known length take no call.
#[inline]
fn name_number(name: &[u8]) -> u64 {
    let ends = match (name.first_chunk(), name.last_chunk()) {
        (Some(&first), Some(&last)) => {
            let middle = match name.len() {
                ..=16 => 0,
                _ => long_name_number(name),
            };
            u64::from_le_bytes(first) ^ u64::from_le_bytes(last).rotate_left(23) ^ middle
        }
        _ => match (name.first_chunk(), name.last_chunk()) {
            (Some(&first), Some(&last)) => {
                u64::from(u32::from_le_bytes(first)) << 32 | u64::from(u32::from_le_bytes(last))
            }
            _ => name
                .iter()
                .fold(0, |number, &byte| number << 8 | u64::from(byte)),
        },
    };
    let mixed = (ends ^ name.len() as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}

#[inline(never)]
fn long_name_number(name: &[u8]) -> u64 {
    let pieces = name.as_chunks().0.iter();
    pieces.fold(0, |number: u64, &piece| {
        (number.rotate_left(5) ^ u64::from_le_bytes(piece)).wrapping_mul(0x94d0_49bb_1331_11eb)
    })
}

/// The shape of a sequence or a map while its elements are walked.
///
/// The run is apart from the shape of the element, which begins anew with each: then nothing waits for anything while a
/// million numbers are walked, and what does not change is known when it is compiled.
#[derive(Debug)]
pub(super) struct Run {
    /// Of what is around the elements, and of those so far.
    whole: Shape,
    last: Shape,
}

impl Run {
    /// Elements follow what has this shape.
    #[inline]
    pub(super) fn after(whole: Shape) -> Self {
        let last = Shape::EMPTY;
        Self { whole, last }
    }

    /// An element has ended, with so many `left`. It counts only if its shape is another one than that of the element
    /// before.
    #[inline]
    pub(super) fn element(&mut self, element: Shape, left: usize) {
        if element != self.last {
            self.whole = self.whole.and_another(element, left);
            self.last = element;
        }
    }

    #[inline]
    pub(super) fn whole(&self) -> Shape {
        self.whole
    }
}
