//! Ctrl-C and Ctrl-Break, which a console tells all its processes: a process that is to get one alone has a console of its
//! own, and presses the key itself when another asks for it by an event of the system's.
#![expect(unsafe_code, reason = "events and consoles of the system")]

use std::{
    os::windows::{
        io::{AsRawHandle, FromRawHandle, OwnedHandle},
        process::CommandExt,
    },
    process::Command,
    ptr,
    sync::Once,
    thread,
};

use windows_sys::Win32::System::{
    Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, GenerateConsoleCtrlEvent},
    Threading::{
        CREATE_NO_WINDOW, CreateEventW, EVENT_MODIFY_STATE, INFINITE, OpenEventW, SetEvent,
        WaitForSingleObject,
    },
};

/// Has a command start in a console of its own, without a window.
pub(crate) fn own_console(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW);
}

/// Lets others press Ctrl-C and Ctrl-Break in this process's console, from now on.
pub(crate) fn await_console() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        [CTRL_C_EVENT, CTRL_BREAK_EVENT]
            .into_iter()
            .for_each(listen)
    });
}

fn listen(key: u32) {
    let name = name_of(key, std::process::id());
    // SAFETY: the name ends with a zero, and there are no attributes.
    let event = unsafe { CreateEventW(ptr::null(), 0, 0, name.as_ptr()) };
    assert!(!event.is_null());
    // SAFETY: the handle is new, and this process's alone.
    let event = unsafe { OwnedHandle::from_raw_handle(event) };
    thread::spawn(move || {
        loop {
            // SAFETY: the handle is there.
            unsafe { WaitForSingleObject(event.as_raw_handle(), INFINITE) };
            // SAFETY: it takes numbers.
            assert_ne!(unsafe { GenerateConsoleCtrlEvent(key, 0) }, 0);
        }
    });
}

/// Presses Ctrl-C in the console of a process.
pub(super) fn interrupt(pid: u32) {
    press(CTRL_C_EVENT, pid);
}

/// Presses Ctrl-Break there.
pub(super) fn terminate(pid: u32) {
    press(CTRL_BREAK_EVENT, pid);
}

fn press(key: u32, pid: u32) {
    let name = name_of(key, pid);
    // SAFETY: the name ends with a zero.
    let event = unsafe { OpenEventW(EVENT_MODIFY_STATE, 0, name.as_ptr()) };
    if event.is_null() {
        assert!(super::is_gone(pid), "{pid} has no console of its own");
        return;
    }
    // SAFETY: the handle is new, and this process's alone.
    let event = unsafe { OwnedHandle::from_raw_handle(event) };
    // SAFETY: the handle is there.
    assert_ne!(unsafe { SetEvent(event.as_raw_handle()) }, 0);
}

fn name_of(key: u32, pid: u32) -> Vec<u16> {
    let name = format!("Local\\mt-test-key-{key}-{pid}");
    name.encode_utf16().chain([0]).collect()
}
