//! Which processes are below another.
#![expect(unsafe_code, reason = "a list of the system's processes")]

use std::{collections::HashSet, os::windows::io::AsRawHandle};

use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};

use super::{handles::owned, program_of};

/// The ids of the processes below a worker process, however deep, as the system lists them just now. A number is given out
/// again soon: what has it may be another process by now.
#[must_use]
pub fn descendants(pid: u32) -> Vec<u32> {
    let all = all();
    let mut seen = HashSet::from([pid]);
    let mut found = Vec::new();
    let mut open = vec![pid];
    while let Some(parent) = open.pop() {
        for &(child, _) in all.iter().filter(|(_, of)| *of == parent) {
            if seen.insert(child) {
                found.push(child);
                open.push(child);
            }
        }
    }
    found
}

/// The worker of a wrapper with this id: the process below it that runs this program. The wrapper's own where that is none of
/// those below.
#[must_use]
pub fn worker_of(wrapper: u32) -> u32 {
    let own = std::env::current_exe().ok();
    let runs_this = |pid: &u32| {
        let program = program_of(*pid);
        own.as_ref()
            .is_some_and(|own| own.as_os_str() == program.as_str())
    };
    if runs_this(&wrapper) {
        return wrapper;
    }
    descendants(wrapper)
        .into_iter()
        .find(runs_this)
        .unwrap_or(wrapper)
}

/// All processes, each with its parent.
fn all() -> Vec<(u32, u32)> {
    // SAFETY: it takes numbers; the handle is new, and this process's alone.
    let Ok(list) = (unsafe { owned(CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0)) }) else {
        return Vec::new();
    };
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..PROCESSENTRY32W::default()
    };
    let mut found = Vec::new();
    // SAFETY: the list is there, and each entry is written into memory of the length that it says.
    let mut is_one = unsafe { Process32FirstW(list.as_raw_handle(), &raw mut entry) } != 0;
    while is_one {
        found.push((entry.th32ProcessID, entry.th32ParentProcessID));
        // SAFETY: as above.
        is_one = unsafe { Process32NextW(list.as_raw_handle(), &raw mut entry) } != 0;
    }
    found
}
