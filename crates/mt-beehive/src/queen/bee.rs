//! What a queen bee is: a bee that lives in this process and has a hive to delegate to.

use std::{
    any::{Any, type_name},
    fmt,
    pin::Pin,
    rc::Rc,
};

use super::handle::Hive;
use crate::{
    bee::{Bee, BeeCx, WorkerBee},
    call::Unsuccessful,
    error::Part,
};

/// A call of a queen's task that goes on: ends with what the task returned.
pub type QueenCall = Pin<Box<dyn Future<Output = Result<QueenValue, Unsuccessful>>>>;

/// A queen bee: lives in this process, and her tasks delegate to worker bees.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a queen bee",
    note = "put `#[mt_beehive::queen(worker = Type)]` on its `impl` block"
)]
pub trait QueenBee: Bee {
    /// The worker bees that tasks are delegated to.
    type Worker: WorkerBee;

    /// Makes the queen, in this process, before there are worker bees.
    ///
    /// # Errors
    /// Why the queen can't be made, for people.
    fn make(init: Self::Init, cx: BeeCx) -> impl Future<Output = Result<Self, String>>;

    /// Calls a task by its name; `None` if there is none of that name.
    #[doc(hidden)]
    fn call(
        self: Rc<Self>,
        hive: Hive<Self::Worker>,
        name: &str,
        args: QueenValue,
    ) -> Option<QueenCall>;
}

/// What a queen's task is given or returns, of any type: queens live in this process, so nothing is encoded.
pub struct QueenValue {
    value: Box<dyn Any>,
    name: &'static str,
}

impl QueenValue {
    /// Any value.
    #[must_use]
    pub fn new<T: 'static>(value: T) -> Self {
        let value = Box::new(value);
        let name = type_name::<T>();
        Self { value, name }
    }

    /// The value as arguments of a task.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn take<T: 'static>(self) -> Result<T, Unsuccessful> {
        self.into_part(Part::Arguments)
    }

    pub(super) fn into_part<T: 'static>(self, part: Part) -> Result<T, Unsuccessful> {
        let Self { value, name } = self;
        let value = value.downcast().map_err(|_| Unsuccessful::WrongType {
            part,
            given: name,
            expected: type_name::<T>(),
        });
        value.map(|value| *value)
    }
}

impl fmt::Debug for QueenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("QueenValue").field(&self.name).finish()
    }
}
