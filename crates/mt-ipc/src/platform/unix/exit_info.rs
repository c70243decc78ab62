//! How a process ended that is reaped already, as Linux tells of a pidfd from 6.15 on.
#![expect(unsafe_code, reason = "a request that no library offers yet")]

use std::{
    fs,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    process::ExitStatus,
};

/// The kernel's `struct pidfd_info`, in its first version.
#[derive(Debug, Default)]
#[repr(C)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

/// `PIDFD_GET_INFO`: a request of kind 0xFF with the number 11, which reads and writes the above.
const GET_INFO: libc::c_ulong =
    3 << 30 | (size_of::<PidfdInfo>() as libc::c_ulong) << 16 | 0xFF << 8 | 11;
/// `PIDFD_INFO_EXIT`: the exit code is asked for, and told.
const EXIT: u64 = 1 << 3;

/// How a process ended; `None` if it is not reaped, or the system does not tell.
pub(super) fn of(pidfd: &OwnedFd) -> Option<ExitStatus> {
    let mut info = PidfdInfo {
        mask: EXIT,
        ..PidfdInfo::default()
    };
    // SAFETY: the request is for a structure of this size, which is ours and stays where it is meanwhile.
    let told = unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_INFO as _, &raw mut info) };
    (told == 0 && info.mask & EXIT != 0).then(|| ExitStatus::from_raw(info.exit_code))
}

/// Whether this system tells.
pub(super) fn is_kept() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    is_kept_since(&release)
}

fn is_kept_since(release: &str) -> bool {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        for newer in ["6.15.0", "6.18.44-fc", "7.0-rc1", "10.1"] {
            assert!(is_kept_since(newer), "{newer}");
        }
        for older in ["6.14.9", "6.2", "5.15.0-100-generic", "", "x"] {
            assert!(!is_kept_since(older), "{older}");
        }
    }
}
