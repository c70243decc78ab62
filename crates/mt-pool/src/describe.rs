//! An error as text, by the best means its type has.
//!
//! The macros know a task's error type by name only. Method lookup picks the first of these that
//! applies: with two references in front the one for `Display`, with one less the one for `Debug`.

use std::{any::type_name, fmt};

/// An error to describe. For the macros.
#[derive(Debug)]
pub struct Describe<'a, E>(pub &'a E);

/// For errors that display.
pub trait ByDisplay {
    /// What it displays, with its causes when the alternate form has them.
    fn describe(&self) -> String;
}

/// For errors that only have `Debug`.
pub trait ByDebug {
    /// The debug form.
    fn describe(&self) -> String;
}

/// For all others.
pub trait ByName {
    /// The name of its type.
    fn describe(&self) -> String;
}

impl<E: fmt::Display> ByDisplay for &&Describe<'_, E> {
    fn describe(&self) -> String {
        format!("{:#}", self.0)
    }
}

impl<E: fmt::Debug> ByDebug for &Describe<'_, E> {
    fn describe(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl<E> ByName for Describe<'_, E> {
    fn describe(&self) -> String {
        format!("an error of type {}", type_name::<E>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_there_is() {
        #[derive(Debug)]
        struct OnlyDebug;
        struct Nothing;
        assert_eq!((&&&Describe(&"plain")).describe(), "plain");
        assert_eq!((&&Describe(&OnlyDebug)).describe(), "OnlyDebug");
        assert!(Describe(&Nothing).describe().ends_with("Nothing"));
    }
}
