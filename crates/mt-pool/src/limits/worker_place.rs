//! The folder and the environment that workers are given, beside those of the start.

use std::{collections::BTreeMap, ffi::OsString, fmt, path::PathBuf, sync::Arc};

use mt_ipc::Surroundings;
use mt_proto::Kept;

use crate::{
    error::StartError,
    supervision::{SlotVariables, ValueBySlot},
};

/// What is said of the folder and the environment of workers.
#[derive(Clone, Default)]
pub(super) struct WorkerPlace {
    /// The last word on a name counts.
    variables: BTreeMap<OsString, Variable>,
    folder: Option<PathBuf>,
}

/// What becomes of a variable.
#[derive(Clone)]
pub(super) enum Variable {
    Set(OsString),
    Removed,
    BySlot(ValueBySlot),
}

/// Without the values, which may be secrets.
impl fmt::Debug for WorkerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerPlace")
            .field("variables", &self.variables.keys())
            .field("folder", &self.folder)
            .finish()
    }
}

impl WorkerPlace {
    pub(super) fn set(&mut self, name: OsString, value: Variable) {
        self.variables.insert(name, value);
    }

    pub(super) fn set_by_slot<V: Into<OsString>>(
        &mut self,
        name: OsString,
        value: impl Fn(u32) -> V + Send + Sync + 'static,
    ) {
        let value: Box<dyn Fn(u32) -> OsString + Send + Sync> =
            Box::new(move |slot| value(slot).into());
        self.set(name, Variable::BySlot(Arc::new(Kept::new(value))));
    }

    pub(super) fn set_folder(&mut self, folder: PathBuf) {
        self.folder = Some(folder);
    }

    /// Where workers of a run start that is started now.
    pub(super) fn surroundings(&self) -> Surroundings {
        let mut here = Surroundings::here();
        for (name, variable) in &self.variables {
            match variable {
                Variable::Set(value) => here.set_variable(name.clone(), Some(value.clone())),
                // The others are set when there is a slot.
                Variable::Removed | Variable::BySlot(_) => here.set_variable(name.clone(), None),
            }
        }
        if let Some(folder) = &self.folder {
            here.set_folder(folder.clone());
        }
        here
    }

    /// What is set for each slot.
    pub(super) fn slot_variables(&self) -> SlotVariables {
        let by_slot = self
            .variables
            .iter()
            .filter_map(|(name, variable)| match variable {
                Variable::BySlot(value) => Some((name.clone(), Arc::clone(value))),
                Variable::Set(_) | Variable::Removed => None,
            });
        SlotVariables::new(by_slot.collect())
    }

    pub(super) fn check(&self) -> Result<(), StartError> {
        let has = |text: &OsString, byte: u8| text.as_encoded_bytes().contains(&byte);
        for (name, value) in &self.variables {
            let problem = if name.is_empty() || has(name, b'=') || has(name, 0) {
                "can't be the name of a variable: it is empty, or has a `=` or a zero byte"
            } else if matches!(value, Variable::Set(value) if has(value, 0)) {
                "has a value with a zero byte"
            } else {
                continue;
            };
            return Err(StartError::Option {
                option: "workers.env",
                problem: format!("{} {problem}", name.display()),
            });
        }
        match &self.folder {
            Some(folder) if !folder.is_dir() => Err(StartError::Option {
                option: "workers.cwd",
                problem: format!("is {}, where there is no folder", folder.display()),
            }),
            _ => Ok(()),
        }
    }
}
