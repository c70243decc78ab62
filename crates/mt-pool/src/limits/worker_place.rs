//! The folder and the environment that workers are given, beside those of the start.

use std::{collections::BTreeMap, ffi::OsString, fmt, path::PathBuf};

use mt_ipc::Surroundings;

use crate::error::StartError;

/// What is said of the folder and the environment of workers.
#[derive(Clone, Default)]
pub(super) struct WorkerPlace {
    /// What becomes of a variable: its value, or `None` for one that is taken away. The last word on a name counts.
    variables: BTreeMap<OsString, Option<OsString>>,
    folder: Option<PathBuf>,
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
    pub(super) fn set(&mut self, name: OsString, value: Option<OsString>) {
        self.variables.insert(name, value);
    }

    pub(super) fn set_folder(&mut self, folder: PathBuf) {
        self.folder = Some(folder);
    }

    /// Where workers of a run start that is started now.
    pub(super) fn surroundings(&self) -> Surroundings {
        let mut here = Surroundings::here();
        for (name, value) in &self.variables {
            here.set_variable(name.clone(), value.clone());
        }
        if let Some(folder) = &self.folder {
            here.set_folder(folder.clone());
        }
        here
    }

    pub(super) fn check(&self) -> Result<(), StartError> {
        let has = |text: &OsString, byte: u8| text.as_encoded_bytes().contains(&byte);
        for (name, value) in &self.variables {
            let problem = if name.is_empty() || has(name, b'=') || has(name, 0) {
                "can't be the name of a variable: it is empty, or has a `=` or a zero byte"
            } else if value.as_ref().is_some_and(|value| has(value, 0)) {
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
