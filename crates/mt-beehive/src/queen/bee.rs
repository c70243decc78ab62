//! What a queen bee is: a bee that lives in this process and has a hive to delegate to.

use std::{
    any::{Any, type_name},
    fmt,
    pin::Pin,
    rc::Rc,
};

use mt_proto::RaisedException;

use crate::{Bee, BeeCx, Hive, WorkerBee};

/// A call of a queen's task that goes on: ends with what it returned, or with what it raised.
pub type QueenCall = Pin<Box<dyn Future<Output = Result<QueenValue, RaisedException>>>>;

/// A queen bee: lives in this process, and her tasks delegate to worker bees.
///
/// Written by [`#[queen]`](macro@crate::queen).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a queen bee",
    note = "put `#[mt_beehive::queen(worker = Type)]` on its `impl` block"
)]
pub trait QueenBee: Bee {
    /// Whom she delegates to.
    type Worker: WorkerBee;

    /// Makes her, in this process, before there are worker bees.
    ///
    /// # Errors
    /// Why she can't be made, for people.
    fn make(init: Self::Init, cx: BeeCx) -> impl Future<Output = Result<Self, String>>;

    /// Calls a task by its name; `None` if she has none of that name.
    fn call(
        self: Rc<Self>,
        hive: Hive<Self::Worker>,
        name: &str,
        args: QueenValue,
    ) -> Option<QueenCall>;
}

/// What a queen's task is given or returns, of any type: she lives in this process, so nothing is encoded.
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
    /// It is of another type.
    pub fn take<T: 'static>(self, task: &str) -> Result<T, RaisedException> {
        let (takes, given) = (type_name::<T>(), self.name);
        self.into_inner().map_err(|_| {
            RaisedException::text(format!(
                "the arguments given to task `{task}`, {given}, are not what it takes, {takes}"
            ))
        })
    }

    /// The value as what a task returned.
    pub(super) fn returned<T: 'static>(self, task: &str) -> Result<T, RaisedException> {
        let (wanted, given) = (type_name::<T>(), self.name);
        self.into_inner().map_err(|_| {
            RaisedException::text(format!(
                "what task `{task}` returned, {given}, is not what is expected, {wanted}"
            ))
        })
    }

    fn into_inner<T: 'static>(self) -> Result<T, Self> {
        let name = self.name;
        let value = self.value.downcast::<T>();
        value
            .map(|value| *value)
            .map_err(|value| Self { value, name })
    }
}

impl fmt::Debug for QueenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("QueenValue").field(&self.name).finish()
    }
}
