//! The tasks of this program by name.

use std::{
    any::{TypeId, type_name},
    collections::HashMap,
    sync::OnceLock,
};

use mt_proto::Fingerprint;

use crate::{Context, StartError, Task, executor};

/// A task as a worker finds it. Submitted by the macros.
pub struct Registration {
    id: fn() -> String,
    signature: fn() -> String,
    pub(crate) serve: executor::Serve,
    pub(crate) call_once: executor::CallOnce,
    pub(crate) target: executor::MakeTarget,
    type_id: fn() -> TypeId,
}

inventory::collect!(Registration);

impl Registration {
    /// The registration of `T`.
    #[must_use]
    pub const fn of<T: Task>() -> Self {
        Self {
            id: id_of::<T>,
            signature: signature_of::<T>,
            serve: executor::serve::<T>,
            call_once: executor::call_once::<T>,
            target: executor::target_of::<T>,
            type_id: TypeId::of::<T>,
        }
    }
}

/// What a task is called on the wire. Its module path alone is not enough: it leaves out the function
/// that a task may be defined in.
pub(crate) fn id_of<T: Task>() -> String {
    format!("{} ({})", T::NAME, type_name::<T>())
}

fn signature_of<T: Task>() -> String {
    format!(
        "{}: {} -> {} | {} [{} {}]",
        id_of::<T>(),
        type_name::<T::Input>(),
        type_name::<T::Output>(),
        type_name::<T::Error>(),
        type_name::<T::Shared>(),
        type_name::<<T::Context as Context>::Config>(),
    )
}

fn with_id(id: &str) -> impl Iterator<Item = &'static Registration> {
    let all = inventory::iter::<Registration>.into_iter();
    // guarded: the code that `#[task]` writes.
    all.filter(move |task| (task.id)() == id)
}

pub(crate) fn find(id: &str) -> Option<&'static Registration> {
    with_id(id).next()
}

/// The id of `T`, if a worker will find `T` by it and nothing else.
///
/// # Errors
/// [`StartError::Task`].
pub(crate) fn sole_id_of<T: Task>() -> Result<String, StartError> {
    let id = id_of::<T>();
    let problem = match with_id(&id).count() {
        1 => return Ok(id),
        0 => "is not registered in this program",
        _ => "is registered twice; give one another name",
    };
    Err(StartError::Task { id, problem })
}

/// The tasks of this program by number: in the order of their ids, which is the same in all its processes.
struct Numbered {
    tasks: Vec<&'static Registration>,
    /// Not of those that a worker could take for another.
    numbers: HashMap<TypeId, u32>,
}

fn numbered() -> &'static Numbered {
    static NUMBERED: OnceLock<Numbered> = OnceLock::new();
    NUMBERED.get_or_init(|| {
        let mut tasks: Vec<_> = inventory::iter::<Registration>.into_iter().collect();
        // guarded: the code that `#[task]` writes.
        tasks.sort_by_cached_key(|task| (task.id)());
        // guarded: the code that `#[task]` writes.
        let is_sole = |task: &&&'static Registration| with_id(&(task.id)()).count() == 1;
        let numbers = (0..).zip(&tasks).filter(|(_, task)| is_sole(task));
        // guarded: `TypeId::of`.
        let numbers = numbers.map(|(number, task)| ((task.type_id)(), number));
        Numbered {
            numbers: numbers.collect(),
            tasks,
        }
    })
}

/// The number of `T` in all processes of this program.
///
/// # Errors
/// [`StartError::Task`] if it is not registered, or not alone under its name.
pub(crate) fn number_of<T: Task>() -> Result<u32, StartError> {
    match numbered().numbers.get(&TypeId::of::<T>()) {
        Some(number) => Ok(*number),
        None => Err(sole_id_of::<T>().err().unwrap_or(StartError::Task {
            id: id_of::<T>(),
            problem: "is registered under another type",
        })),
    }
}

pub(crate) fn by_number(number: u32) -> Option<&'static Registration> {
    numbered().tasks.get(number as usize).copied()
}

/// The number two processes compare to know that they are the same build.
#[must_use]
pub fn fingerprint() -> Fingerprint {
    let all = inventory::iter::<Registration>.into_iter();
    // guarded: the code that `#[task]` writes.
    Fingerprint::of(all.map(|task| (task.signature)()))
}
