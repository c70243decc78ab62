//! The processes and threads of the system, as it lists them.
#![expect(unsafe_code, reason = "lists of the system")]

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::{
    Foundation::{INVALID_HANDLE_VALUE, LocalFree},
    System::{
        Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW,
            TH32CS_SNAPPROCESS, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
        },
        Threading::{GetThreadDescription, OpenThread, THREAD_QUERY_LIMITED_INFORMATION},
    },
};

/// Programs of the system that are started when somebody needs them: what shows a console, and Wine's services.
const SYSTEM: [&str; 2] = ["conhost.exe", "services.exe"];

/// A process: its id, its parent's, and the name of its program.
struct Entry {
    pid: u32,
    parent: u32,
    program: String,
    threads: u32,
}

/// The pids of the children of a process that run.
#[must_use]
pub fn children_of(pid: u32) -> Vec<u32> {
    let all = processes().into_iter();
    let below =
        all.filter(|it| it.parent == pid && it.threads > 0 && !SYSTEM.contains(&&*it.program));
    below.map(|it| it.pid).collect()
}

/// A process, for people: its program and how many threads it has.
pub(crate) fn doing(pid: u32) -> String {
    let all = processes().into_iter();
    let mut found = all.filter(|it| it.pid == pid);
    found.next().map_or_else(
        || format!("{pid}: gone"),
        |it| format!("{pid}: {}, {} threads", it.program, it.threads),
    )
}

/// How many threads this process has.
#[must_use]
pub fn thread_count() -> usize {
    threads().len()
}

/// How many threads of this process have this name.
#[must_use]
pub fn threads_named(name: &str) -> usize {
    let names = threads().into_iter().filter_map(name_of);
    names.filter(|found| found == name).count()
}

fn snapshot(what: u32) -> OwnedHandle {
    // SAFETY: it takes numbers.
    let list = unsafe { CreateToolhelp32Snapshot(what, 0) };
    assert_ne!(list, INVALID_HANDLE_VALUE, "the system lists nothing");
    // SAFETY: the handle is new, and this process's alone.
    unsafe { OwnedHandle::from_raw_handle(list) }
}

fn processes() -> Vec<Entry> {
    let list = snapshot(TH32CS_SNAPPROCESS);
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..PROCESSENTRY32W::default()
    };
    let mut found = Vec::new();
    // SAFETY: the list is there, and each entry is written into memory of the length that it says.
    let mut is_one = unsafe { Process32FirstW(list.as_raw_handle(), &raw mut entry) } != 0;
    while is_one {
        let name = entry.szExeFile.split(|&unit| unit == 0).next();
        found.push(Entry {
            pid: entry.th32ProcessID,
            parent: entry.th32ParentProcessID,
            program: String::from_utf16_lossy(name.unwrap()),
            threads: entry.cntThreads,
        });
        // SAFETY: as above.
        is_one = unsafe { Process32NextW(list.as_raw_handle(), &raw mut entry) } != 0;
    }
    found
}

/// The ids of this process's threads.
fn threads() -> Vec<u32> {
    let list = snapshot(TH32CS_SNAPTHREAD);
    let mut entry = THREADENTRY32 {
        dwSize: size_of::<THREADENTRY32>() as u32,
        ..THREADENTRY32::default()
    };
    let mut found = Vec::new();
    // SAFETY: the list is there, and each entry is written into memory of the length that it says.
    let mut is_one = unsafe { Thread32First(list.as_raw_handle(), &raw mut entry) } != 0;
    while is_one {
        if entry.th32OwnerProcessID == std::process::id() {
            found.push(entry.th32ThreadID);
        }
        // SAFETY: as above.
        is_one = unsafe { Thread32Next(list.as_raw_handle(), &raw mut entry) } != 0;
    }
    found
}

fn name_of(thread: u32) -> Option<String> {
    // SAFETY: it takes numbers.
    let handle = unsafe { OpenThread(THREAD_QUERY_LIMITED_INFORMATION, 0, thread) };
    if handle.is_null() {
        return None;
    }
    // SAFETY: the handle is new, and this process's alone.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut text = std::ptr::null_mut();
    // SAFETY: the thread's handle is there, and the text's place is written into memory that is ours.
    if unsafe { GetThreadDescription(handle.as_raw_handle(), &raw mut text) } < 0 {
        return None;
    }
    // SAFETY: the system has made a text that ends with a zero.
    let units = unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        std::slice::from_raw_parts(text, length)
    };
    let name = String::from_utf16_lossy(units);
    // SAFETY: the system has made it for this process, which frees it once.
    unsafe { LocalFree(text.cast()) };
    Some(name)
}
