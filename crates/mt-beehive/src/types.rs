//! The types of a bee's tasks, for those who call them by name. For the macros; not for people.

use std::any::type_name;

use mt_pool::Wire;

/// The types that a task takes and returns.
#[derive(Debug, Clone, Copy)]
pub struct TaskTypes {
    names: fn() -> TypeNames,
    #[cfg(feature = "json")]
    pub(crate) json: crate::json::JsonTypes,
}

/// The names of a task's types.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TypeNames {
    pub(crate) args: &'static str,
    pub(crate) value: &'static str,
}

impl TaskTypes {
    /// The types of a task that takes an `A` and returns a `V`.
    #[must_use]
    pub const fn of<A: Wire, V: Wire>() -> Self {
        Self {
            names: || TypeNames {
                args: type_name::<A>(),
                value: type_name::<V>(),
            },
            #[cfg(feature = "json")]
            json: crate::json::JsonTypes::of::<A, V>(),
        }
    }

    pub(crate) fn names(&self) -> TypeNames {
        // guarded: the names of types, as the compiler has them.
        (self.names)()
    }
}
