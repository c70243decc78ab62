//! Pipes of which both ends are made here, so that nobody else can ever have one.
#![expect(unsafe_code, reason = "calls of the system that take and give handles")]

use std::{
    hash::{BuildHasher, RandomState},
    io,
    os::windows::io::OwnedHandle,
    process, ptr,
};

use windows_sys::{
    Win32::{
        Foundation::{GENERIC_READ, GENERIC_WRITE, HLOCAL, LocalFree},
        Security::{
            Authorization::{
                ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
            },
            PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES,
        },
        Storage::FileSystem::{
            CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING,
            PIPE_ACCESS_DUPLEX, PIPE_ACCESS_INBOUND,
        },
        System::Pipes::{
            CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
            PIPE_WAIT,
        },
    },
    w,
};

use super::handles::{checked, owned};

/// How many bytes a pipe holds that nobody has read.
const HOLDS_BYTES: u32 = 256 * 1024;

/// Which way bytes go, and how the other end waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    /// Both ways, for a worker that knows how to use it.
    Both,
    /// To this process, from whatever a standard output is given to.
    Inbound,
}

/// The server's end, which a runtime can watch, and the other one.
pub(super) fn pair(ways: Ways) -> io::Result<(OwnedHandle, OwnedHandle)> {
    let name = name();
    let (access, flags) = match ways {
        Ways::Both => (PIPE_ACCESS_DUPLEX, FILE_FLAG_OVERLAPPED),
        Ways::Inbound => (PIPE_ACCESS_INBOUND, 0),
    };
    let ours = Descriptor::of_this_user()?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: ours.0,
        bInheritHandle: 0,
    };
    // SAFETY: the name ends with a zero, the attributes are there while the call lasts, and the handle is new, and this
    // process's alone. Somebody else's pipe of this name is an error.
    let server = unsafe {
        owned(CreateNamedPipeW(
            name.as_ptr(),
            access | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            1,
            HOLDS_BYTES,
            HOLDS_BYTES,
            0,
            &raw const attributes,
        ))
    }?;
    let access = match ways {
        Ways::Both => GENERIC_READ | GENERIC_WRITE,
        Ways::Inbound => GENERIC_WRITE,
    };
    // SAFETY: as above. The pipe has one other end: if somebody else has taken it, this is an error.
    let client = unsafe {
        owned(CreateFileW(
            name.as_ptr(),
            access,
            0,
            ptr::null(),
            OPEN_EXISTING,
            flags,
            ptr::null_mut(),
        ))
    }?;
    Ok((server, client))
}

/// A name that nobody can foresee.
fn name() -> Vec<u16> {
    // Its keys are the system's random numbers, and others each time.
    let chance = || RandomState::new().hash_one(0);
    let name = format!(
        r"\\.\pipe\mt-{}-{:016x}{:016x}",
        process::id(),
        chance(),
        chance()
    );
    name.encode_utf16().chain([0]).collect()
}

/// Who may open something: whoever has made it.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    fn of_this_user() -> io::Result<Self> {
        let mut made = ptr::null_mut();
        // SAFETY: the text ends with a zero, and what is made is written into memory that is ours.
        checked(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                w!("D:P(A;;GA;;;OW)"),
                SDDL_REVISION_1,
                &raw mut made,
                ptr::null_mut(),
            )
        })?;
        Ok(Self(made))
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system has made it for this process, which frees it once.
        let _ = unsafe { LocalFree(self.0 as HLOCAL) };
    }
}
