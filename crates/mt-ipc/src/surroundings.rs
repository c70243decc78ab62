//! The folder and the environment that a worker starts in.

use std::{
    collections::BTreeMap, env, ffi::OsString, fmt, path::PathBuf, process::Command, sync::Arc,
};

use crate::{SpawnError, platform};

/// The folder and the environment that a worker starts in: those of the host when the worker's owner (a run, a hive) was
/// started, whatever becomes of the host's own since, and what is set here. So the first worker, one that replaces it,
/// and one of an earlier run find the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// `None` if the host's is gone: then a worker starts in the host's of that time.
    folder: Option<Folder>,
    variables: Arc<BTreeMap<OsString, OsString>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Folder {
    path: PathBuf,
    /// Another folder may come to stand where one was.
    identity: Option<(u64, u64)>,
}

impl Folder {
    fn at(path: PathBuf) -> Self {
        let identity = platform::file_identity(&path);
        Self { path, identity }
    }
}

/// Without the variables, which may be secrets.
impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.as_ref().map(|folder| &folder.path);
        f.debug_struct("Surroundings")
            .field("folder", &folder)
            .finish_non_exhaustive()
    }
}

impl Surroundings {
    /// The folder and the environment that this process has now.
    #[must_use]
    pub fn here() -> Self {
        Self {
            folder: env::current_dir().ok().map(Folder::at),
            variables: Arc::new(env::vars_os().collect()),
        }
    }

    /// Sets a variable, or takes it away.
    pub fn set_variable(&mut self, name: OsString, value: Option<OsString>) {
        let variables = Arc::make_mut(&mut self.variables);
        match value {
            Some(value) => drop(variables.insert(name, value)),
            None => drop(variables.remove(&name)),
        }
    }

    /// Sets the folder. One that is not absolute is found from the folder that this process is in now.
    pub fn set_folder(&mut self, path: PathBuf) {
        // One folder by one name, so that it is known again; a link may point elsewhere later.
        let path = path.canonicalize().unwrap_or(path);
        self.folder = Some(Folder::at(path));
    }

    pub(crate) fn apply(&self, command: &mut Command) -> Result<(), SpawnError> {
        command.env_clear();
        command.envs(&*self.variables);
        let Some(Folder { path, .. }) = &self.folder else {
            return Ok(());
        };
        // Otherwise the system's word for it would be taken for the program's.
        if !path.is_dir() {
            let folder = path.display().to_string();
            return Err(SpawnError::Folder { folder });
        }
        command.current_dir(path);
        Ok(())
    }
}
