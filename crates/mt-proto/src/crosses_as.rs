//! Items that are not of their task's type, and are read as if they were.

use std::any::{Any, TypeId};

use form::Form;
use serde::Serialize;

use crate::{
    Attachments, EncodeError,
    encode::{write_as, write_item, write_value},
};

/// What crosses as an `I`, and is read as one: an `I` itself, a `&I`; a `&str` for a `String`, a slice for a `Vec`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` can't stand for a `{I}`",
    label = "items of this input are not what the task takes",
    note = "an input may yield `{I}` or `&{I}`; for a `String` also `&str`, for a `Vec<E>` also `&[E]`"
)]
pub trait CrossesAs<I>: Form<I> {}

#[diagnostic::do_not_recommend]
impl<I, V: Form<I>> CrossesAs<I> for V {}

pub(crate) mod form {
    use serde::Serialize;

    use crate::{Attachments, EncodeError};

    /// [`CrossesAs`](super::CrossesAs), for which nobody else writes how: without a shape beside them, some types are only
    /// read as they were written because they are known.
    pub trait Form<I>: Serialize {
        /// Writes it as an item of type `I` is, and leaves behind what it has written when it fails.
        ///
        /// # Errors
        /// [`EncodeError`].
        fn write(
            &self,
            buffer: &mut Vec<u8>,
            limit: usize,
            attachments: Option<&mut Attachments>,
        ) -> Result<(), EncodeError>;
    }
}

impl<I: Serialize + 'static> Form<I> for I {
    #[inline]
    fn write(
        &self,
        buffer: &mut Vec<u8>,
        limit: usize,
        attachments: Option<&mut Attachments>,
    ) -> Result<(), EncodeError> {
        write_item(buffer, self, limit, attachments)
    }
}

impl<I: Serialize + 'static> Form<I> for &I {
    #[inline]
    fn write(
        &self,
        buffer: &mut Vec<u8>,
        limit: usize,
        attachments: Option<&mut Attachments>,
    ) -> Result<(), EncodeError> {
        write_item(buffer, *self, limit, attachments)
    }
}

impl Form<String> for &str {
    #[inline]
    fn write(
        &self,
        buffer: &mut Vec<u8>,
        limit: usize,
        _none: Option<&mut Attachments>,
    ) -> Result<(), EncodeError> {
        write_value(buffer, *self, limit)
    }
}

impl<E: Serialize + 'static> Form<Vec<E>> for &[E] {
    #[inline]
    fn write(
        &self,
        buffer: &mut Vec<u8>,
        limit: usize,
        attachments: Option<&mut Attachments>,
    ) -> Result<(), EncodeError> {
        // Known when it is compiled. Bytes are copied at once, and not written one by one.
        if TypeId::of::<E>() == TypeId::of::<u8>() {
            let byte = |element: &E| (element as &dyn Any).downcast_ref::<u8>().copied();
            let bytes: Option<Vec<u8>> = self.iter().map(byte).collect();
            return write_item(buffer, &bytes.expect("all are bytes"), limit, attachments);
        }
        write_as::<Vec<E>, [E]>(buffer, self, limit, attachments)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serializer;

    use super::*;
    use crate::RecordBuffer;

    /// What is pushed is what the item itself would be.
    #[track_caller]
    fn check<I: Serialize + 'static>(form: impl CrossesAs<I>, item: &I) {
        let mut buffer = RecordBuffer::default();
        buffer.push(item, 1000).expect("encodes");
        let as_item = buffer.take();
        let mut beside = Attachments::NONE;
        let pushed = buffer.push_attaching(&form, 1000, &mut beside);
        pushed.expect("encodes");
        assert_eq!(buffer.take(), as_item);
    }

    /// Case I19: What stands for an item is the same bytes, with the same shape.
    #[test]
    fn forms_of_an_item_are_the_same_bytes() {
        let page = (String::from("one"), vec![Some(1.5), None]);
        check(&page, &page);
        check(page.clone(), &page);
        check("one", &page.0);
        check(&page.0, &page.0);
        check(&page.1[..], &page.1);
        check(&[1u8, 2][..], &vec![1, 2]);
        check(&[300u16][..], &vec![300]);
        check(&[page.clone()][..], &vec![page]);
        check(&[] as &[u8], &vec![]);
    }

    struct Refuses;

    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }

    #[test]
    fn forms_are_refused_as_items_are() {
        let mut buffer = RecordBuffer::default();
        let mut beside = Attachments::NONE;
        let mut push = |limit| buffer.push_attaching::<String, _>(&"one", limit, &mut beside);
        let too_long = EncodeError::TooLarge { limit: 3 };
        assert_eq!((push(3), push(4)), (Err(too_long), Ok(())));
        let refused = &[Refuses][..];
        let refused = buffer.push_attaching::<Vec<Refuses>, _>(&refused, 99, &mut beside);
        assert!(matches!(refused, Err(EncodeError::Value(_))), "{refused:?}");
        assert_eq!(buffer.count(), 1);
    }
}
