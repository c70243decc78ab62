//! What program a process runs, and how this one is started again.
#![expect(
    unsafe_code,
    reason = "asking what program a process runs, and what tells files apart"
)]

use std::{
    env, fs, io,
    os::windows::{
        fs::OpenOptionsExt,
        io::{AsRawHandle, OwnedHandle},
    },
    path::{Path, PathBuf},
    sync::OnceLock,
};

use windows_sys::Win32::{
    Storage::FileSystem::{
        BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, GetFileInformationByHandle,
    },
    System::Threading::{
        OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION,
        QueryFullProcessImageNameW,
    },
};

use super::handles::owned;
use crate::SpawnError;

/// What tells a file from another.
type FileId = (u64, u64);

/// How this program starts itself again. The file of a program that runs can be renamed, but not replaced in its place.
pub(crate) fn own_program() -> Result<PathBuf, SpawnError> {
    static FIRST: OnceLock<Option<(PathBuf, Option<FileId>)>> = OnceLock::new();
    let found = FIRST.get_or_init(|| {
        let program = env::current_exe().ok()?;
        let id = file_identity(&program);
        Some((program, id))
    });
    let Some((program, then)) = found else {
        return Err(SpawnError::Program {
            program: "this program".to_owned(),
            source: io::ErrorKind::NotFound.into(),
        });
    };
    match then.is_some() && file_identity(program) == *then {
        true => Ok(program.clone()),
        false => Err(SpawnError::Replaced {
            program: program.display().to_string(),
        }),
    }
}

/// The same: a name means the same in every process.
pub(crate) fn own_file() -> Result<PathBuf, SpawnError> {
    own_program()
}

/// What tells a file or folder from another that stands in the same place later.
pub(crate) fn file_identity(path: &Path) -> Option<FileId> {
    // Folders can be opened only so; nothing is asked to be read.
    let mut options = fs::OpenOptions::new();
    let options = options
        .access_mode(0)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    let file = options.open(path).ok()?;
    let mut told = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the file is open, and what is told is written into memory that is ours.
    let is_told = unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut told) } != 0;
    let index = u64::from(told.nFileIndexHigh) << 32 | u64::from(told.nFileIndexLow);
    is_told.then_some((told.dwVolumeSerialNumber.into(), index))
}

/// What a process runs, for people.
#[must_use]
pub fn program_of(pid: u32) -> String {
    image_name(pid).unwrap_or_else(|| "another program".to_owned())
}

fn image_name(pid: u32) -> Option<String> {
    // SAFETY: it takes numbers; the handle is new, and this process's alone.
    let process: OwnedHandle =
        unsafe { owned(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid)) }.ok()?;
    let mut name = [0_u16; 1024];
    let mut length = name.len() as u32;
    // SAFETY: there is room for so many, which is said.
    let is_told = unsafe {
        QueryFullProcessImageNameW(
            process.as_raw_handle(),
            PROCESS_NAME_WIN32,
            name.as_mut_ptr(),
            &raw mut length,
        )
    };
    (is_told != 0).then(|| String::from_utf16_lossy(&name[..length as usize]))
}

/// Whether a process can become a worker: the system does not tell, so it is waited for.
#[must_use]
pub fn may_be_worker(_pid: u32) -> bool {
    true
}
