//! What a console tells its processes.
#![expect(unsafe_code, reason = "a call of the system")]

use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent};

/// Sends Ctrl-Break to the group that a process leads, which ends those that do nothing against it. Returns whether that
/// could be done: only where this process has the same console.
pub(super) fn interrupt(leader: u32) -> bool {
    // SAFETY: it takes numbers.
    unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, leader) != 0 }
}
