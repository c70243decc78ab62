//! What becomes of works that have nothing to show: the seed's `skip_null`.

/// What a work returns that may have nothing to show: `Option<T>`, or `Result<Option<T>, E>` when it
/// may also fail.
#[diagnostic::on_unimplemented(
    message = "a work that returns `{Self}` always has something to show",
    label = "this is neither `Option<T>` nor `Result<Option<T>, E>`",
    note = "leave `skip_null()` out to get what it returns as it is, or return an `Option`"
)]
pub trait Nullable {
    /// What it is when there is something: `T`, or `Result<T, E>`.
    type Value;

    /// What there is to show.
    fn into_value(self) -> Option<Self::Value>;
}

impl<T> Nullable for Option<T> {
    type Value = T;

    fn into_value(self) -> Option<T> {
        self
    }
}

impl<T, E> Nullable for Result<Option<T>, E> {
    type Value = Result<T, E>;

    fn into_value(self) -> Option<Result<T, E>> {
        self.transpose()
    }
}

/// Works with nothing to show are left out (the seed's `skip_null=True`): what comes out is `T` of
/// `Option<T>`, and `Result<T, E>` of `Result<Option<T>, E>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipNull {}

/// What a work returns comes out as it is, whatever it is (the seed's `skip_null=False`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepNull {}

/// What comes out of a work that has returned an `R`: [`SkipNull`] or [`KeepNull`].
pub trait NullPolicy<R> {
    /// What comes out.
    type Item;

    /// What comes out of this one, if anything does.
    fn item(returned: R) -> Option<Self::Item>;
}

impl<R: Nullable> NullPolicy<R> for SkipNull {
    type Item = R::Value;

    fn item(returned: R) -> Option<R::Value> {
        returned.into_value()
    }
}

impl<R> NullPolicy<R> for KeepNull {
    type Item = R;

    fn item(returned: R) -> Option<R> {
        Some(returned)
    }
}
