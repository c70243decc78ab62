//! Blobs as arrays of numbers. With the feature `ndarray`.

#[cfg(test)]
mod tests;

use std::io;

use bytemuck::{Pod, cast_slice, try_cast_slice, try_cast_slice_mut};
use ndarray::{ArrayBase, ArrayView, ArrayViewMut, Data, Dimension, IntoDimension};

use super::Blob;

/// Why the bytes of a blob are no array of that shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The blob has fewer bytes, or more.
    #[error("an array of that shape has {expected} bytes, and the blob {found}")]
    Length {
        /// The bytes of an array of that shape.
        expected: usize,
        /// The bytes of the blob.
        found: usize,
    },
    /// An array of that shape has more elements, or more bytes, than can be counted.
    #[error("an array of that shape has more bytes than can be counted")]
    TooLarge,
    /// The elements have to begin at multiples of more than the 4096 bytes at which a blob does.
    #[error("the elements have to begin at multiples of {align} bytes, and a blob does at 4096")]
    Alignment {
        /// Of how many bytes.
        align: usize,
    },
}

impl From<ViewError> for io::Error {
    fn from(error: ViewError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// Arrays of numbers. With the feature `ndarray`.
///
/// The elements are those of the machine, one row after the other, and nothing besides: whoever views them knows their
/// type and their shape. Any [`Pod`] will do: numbers, arrays of them, and structs that derive it.
impl Blob {
    /// A copy of the elements of `array`, row by row, however they lie there.
    ///
    /// ```
    /// use mt_ipc::Blob;
    /// use ndarray::{ArrayView2, array};
    ///
    /// let table = Blob::of_array(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
    /// // In any process that has it, without a copy:
    /// let rows: ArrayView2<'_, f64> = table.view((2, 3))?;
    /// assert_eq!(rows.row(1).sum(), 15.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`copy_of`](Self::copy_of).
    pub fn of_array<T: Pod, S, D>(array: &ArrayBase<S, D>) -> io::Result<Self>
    where
        S: Data<Elem = T>,
        D: Dimension,
    {
        match array.as_slice() {
            Some(elements) => Self::copy_of(cast_slice(elements)),
            None => Self::filled_array(array.raw_dim(), |mut made| {
                made.assign(array);
                Ok(())
            }),
        }
    }

    /// An array of this shape that `fill` writes in place, without a copy; all its bytes are zeros when it is called.
    ///
    /// # Errors
    /// As [`filled`](Self::filled), and of kind [`InvalidInput`](io::ErrorKind::InvalidInput) a [`ViewError`] that says
    /// why there can be no such array.
    pub fn filled_array<T: Pod, S: IntoDimension>(
        shape: S,
        fill: impl FnOnce(ArrayViewMut<'_, T, S::Dim>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let shape = shape.into_dimension();
        let expected = bytes_of::<T>(&shape)?;
        Self::filled(expected, |bytes| {
            let found = bytes.len();
            let elements = try_cast_slice_mut(bytes).map_err(|_| misaligned::<T>())?;
            let view = ArrayViewMut::from_shape(shape, elements);
            fill(view.map_err(|_| ViewError::Length { expected, found })?)
        })
    }

    /// The bytes as an array of this shape: a number, a tuple of numbers, or an array of them. Nothing is copied.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn view<T: Pod, S: IntoDimension>(
        &self,
        shape: S,
    ) -> Result<ArrayView<'_, T, S::Dim>, ViewError> {
        let shape = shape.into_dimension();
        let (expected, found) = (bytes_of::<T>(&shape)?, self.len());
        let other = ViewError::Length { expected, found };
        if expected != found {
            return Err(other);
        }
        let elements = try_cast_slice(self).map_err(|_| misaligned::<T>())?;
        ArrayView::from_shape(shape, elements).map_err(|_| other)
    }
}

/// The bytes of an array of this shape.
fn bytes_of<T>(shape: &impl Dimension) -> Result<usize, ViewError> {
    let elements = shape.size_checked();
    let bytes = elements.and_then(|elements| elements.checked_mul(size_of::<T>()));
    let bytes = bytes.filter(|&bytes| isize::try_from(bytes).is_ok());
    bytes.ok_or(ViewError::TooLarge)
}

fn misaligned<T>() -> ViewError {
    let align = align_of::<T>();
    ViewError::Alignment { align }
}
