//! What a function returns, decided by its type: a value or a `Result`, and how the error of that crosses.
//!
//! A macro sees how a type is written and not what it is: `Res<u32>` may hide a `Result`. So what the
//! macros write asks the compiler, which it can because it is never generic:
//!
//! ```text
//! const HOW: u8 = { use Otherwise as _; checked::<R, { how(Probe::<R>::IS_RESULT, …) }>() };
//! type Value = <As<HOW> as Returns<R>>::Value;
//! ```
//!
//! An associated constant of the type itself ([`Probe`], for some types only) is preferred to one of a trait
//! ([`Otherwise`], for all types). The answers are a number, and [`As`] that number has an implementation of
//! [`Returns`] for each way:
//!
//! | the function returns | `HOW` | value | error |
//! |---|---|---|---|
//! | `R`, no `Result` | [`PLAIN`] | `R` | [`Never`] |
//! | `Result<T, E>`, `E` is [`Wire`] | [`TYPED`] | `T` | `E` |
//! | `Result<T, E>`, `E` displays | [`TEXT`] | `T` | [`Raised`], its text |
//!
//! Tasks of the pool and of bees are alike in this. All of it is for the macros.

use std::{fmt::Display, marker::PhantomData};

use crate::{
    Wire,
    task::{Never, Raised},
};

/// [`As`] this, what is returned is the value.
pub const PLAIN: u8 = 0;
/// [`As`] this, what is returned is a `Result` whose error crosses as it is.
pub const TYPED: u8 = 1;
/// [`As`] this, what is returned is a `Result` of whose error the text crosses.
pub const TEXT: u8 = 2;

/// A return type to ask about.
#[derive(Debug)]
pub struct Probe<R>(PhantomData<R>);

impl<T, E> Probe<Result<T, E>> {
    /// A `Result` is one, whatever it is called.
    pub const IS_RESULT: bool = true;
}

impl<T, E: Wire> Probe<Result<T, E>> {
    /// The error can cross.
    pub const IS_TYPED: bool = true;
}

impl<T, E: ?Sized> Probe<Result<T, &E>> {
    /// The error is a reference, which is not to be asked whether it [`IS_TYPED`](Self::IS_TYPED): the answer
    /// would leave lifetimes out.
    pub const IS_BORROWED: bool = true;
}

/// The answers for all other types.
pub trait Otherwise {
    /// No `Result`, that is.
    const IS_RESULT: bool = false;
    /// The error can't cross, or there is none.
    const IS_TYPED: bool = false;
    /// The error, if there is one, is no reference.
    const IS_BORROWED: bool = false;
}

impl<R> Otherwise for Probe<R> {}

/// A type to ask about in place of `R`, by whether its error [is borrowed](Probe::IS_BORROWED).
pub trait Instead<R> {
    /// `R`, or a `Result` whose error can't cross.
    type Type;
}

/// Whether the error is borrowed.
#[derive(Debug)]
pub struct Borrowed<const IS_BORROWED: bool>;

impl<R> Instead<R> for Borrowed<false> {
    type Type = R;
}

impl<R> Instead<R> for Borrowed<true> {
    type Type = Result<(), *const ()>;
}

/// The way that these answers lead to.
#[must_use]
pub const fn how(is_result: bool, is_typed: bool) -> u8 {
    match (is_result, is_typed) {
        (false, _) => PLAIN,
        (true, true) => TYPED,
        (true, false) => TEXT,
    }
}

/// `HOW`, which compiles only if an `R` can become an outcome that way: what is wrong is said here, once.
#[must_use]
pub const fn checked<R, const HOW: u8>() -> u8
where
    As<HOW>: Returns<R>,
{
    HOW
}

/// A way that what a function returns becomes an outcome.
#[derive(Debug)]
pub struct As<const HOW: u8>;

/// What a function that returns an `R` has as its value and its error.
pub trait Returns<R> {
    /// The value.
    type Value;
    /// The error, as it crosses.
    type Error;

    /// The outcome of a call that returned this.
    ///
    /// # Errors
    /// The error that it returned.
    fn outcome(returned: R) -> Result<Self::Value, Self::Error>;
}

impl<R> Returns<R> for As<PLAIN> {
    type Value = R;
    type Error = Never;

    fn outcome(returned: R) -> Result<R, Never> {
        Ok(returned)
    }
}

impl<T, E: Wire> Returns<Result<T, E>> for As<TYPED> {
    type Value = T;
    type Error = E;

    fn outcome(returned: Result<T, E>) -> Result<T, E> {
        returned
    }
}

impl<T, E: ErrorText> Returns<Result<T, E>> for As<TEXT> {
    type Value = T;
    type Error = Raised;

    fn outcome(returned: Result<T, E>) -> Result<T, Raised> {
        returned.map_err(Raised::new)
    }
}

/// An error that can't cross as it is, and displays.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the error of a task: neither it nor its text can cross",
    label = "the error is neither `Serialize + Deserialize` nor `Display`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for `{Self}` to have the error arrive as it is",
    note = "or implement `std::fmt::Display` for it to have its text arrive"
)]
pub trait ErrorText: Display {}

#[diagnostic::do_not_recommend]
impl<E: Display> ErrorText for E {}
