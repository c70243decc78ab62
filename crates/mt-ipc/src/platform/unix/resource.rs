//! Limits of the system's, by the names it has for them.

use std::io;

use rustix::process::{Resource as SystemResource, Rlimit, getrlimit, setrlimit};

use super::super::Resource;

fn system(resource: Resource) -> SystemResource {
    match resource {
        Resource::OpenFiles => SystemResource::Nofile,
        Resource::AddressSpaceBytes => SystemResource::As,
        Resource::DataBytes => SystemResource::Data,
        Resource::CpuSeconds => SystemResource::Cpu,
        Resource::FileBytes => SystemResource::Fsize,
        Resource::CoreBytes => SystemResource::Core,
        Resource::Processes => SystemResource::Nproc,
        Resource::LockedBytes => SystemResource::Memlock,
    }
}

/// The most that this process can give itself; `None` for any number.
pub(crate) fn most_of(resource: Resource) -> Option<u64> {
    getrlimit(system(resource)).maximum
}

/// Limits this process; [`u64::MAX`] for no limit.
pub(crate) fn apply_limit(resource: Resource, value: u64) -> io::Result<()> {
    let resource = system(resource);
    let limits = Rlimit {
        current: (value != u64::MAX).then_some(value),
        maximum: getrlimit(resource).maximum,
    };
    Ok(setrlimit(resource, limits)?)
}
