//! How much of what the system has a worker may take: limits that it sets for itself before any code of the user's runs.

use std::io;

use super::system::{apply_limit, most_of};

/// Something of the system's that a process may have only so much of (`ulimit`, `setrlimit`), and what happens at the
/// limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Open descriptors (`ulimit -n`). At the limit nothing more can be opened (`EMFILE`). A worker itself takes about a
    /// dozen, and blobs up to 256; where there are too few for the worker, it does not start.
    OpenFiles,
    /// Bytes of address space (`ulimit -v`), used or not. At the limit there is no further memory: Rust aborts
    /// (`SIGABRT`), where other languages may have an error. A worker itself takes some 100 MiB of address space. Not sensible for code that
    /// reserves much and uses little (sanitizers, GPU drivers, engines of JavaScript); a
    /// limit on the memory that is *used* is an option of the run or the hive (`memory`).
    AddressSpaceBytes,
    /// Bytes of memory for data (`ulimit -d`): the same without what is mapped of files.
    DataBytes,
    /// Seconds of processor time of the process, of all its threads together, since its start (`ulimit -t`); 0 stands for 1. At the
    /// limit it ends by `SIGXCPU`, which dumps core, in whichever item it is then, that need not be the one that took
    /// most of it: a worker that is used by several runs has them all counted. Sensible with a worker for each item; for
    /// one call there are deadlines.
    CpuSeconds,
    /// The bytes of the longest file that may be written (`ulimit -f`). Who writes beyond ends by `SIGXFSZ`, which dumps
    /// core. What is less than 12 KiB, or than a blob that is made, is an error of its own.
    FileBytes,
    /// The bytes of a core dump (`ulimit -c`). What is longer is cut; 0 for none. A system that has a program take its
    /// dumps (`core_pattern` with a pipe) may not care.
    CoreBytes,
    /// Processes and threads of the *user* at once, whoever has started them (`ulimit -u`). At the limit this process can't
    /// start any more (`EAGAIN`), whatever the others are. Not sensible for a count of a worker's own; it does not hold for
    /// root.
    Processes,
    /// Bytes of memory that are locked (`ulimit -l`). At the limit no more can be locked.
    LockedBytes,
}

impl Resource {
    const ALL: [Self; 8] = [
        Self::OpenFiles,
        Self::AddressSpaceBytes,
        Self::DataBytes,
        Self::CpuSeconds,
        Self::FileBytes,
        Self::CoreBytes,
        Self::Processes,
        Self::LockedBytes,
    ];
}

/// The limits of a worker. What is not limited here is as in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ResourceLimits([Option<u64>; Resource::ALL.len()]);

impl ResourceLimits {
    /// Limits a resource; [`u64::MAX`] for no limit. The last word on a resource counts.
    pub fn set(&mut self, resource: Resource, value: u64) {
        self.0[resource as usize] = Some(value);
    }

    /// The limits, in the order of the resources.
    fn all(&self) -> impl Iterator<Item = (Resource, u64)> {
        let all = Resource::ALL.into_iter().zip(self.0);
        all.filter_map(|(resource, value)| Some((resource, value?)))
    }

    /// The first limit that this process can't give, with the most that it can.
    #[must_use]
    pub fn beyond_reach(&self) -> Option<(Resource, u64)> {
        self.all().find_map(|(resource, value)| {
            let most = most_of(resource)?;
            (value > most).then_some((resource, most))
        })
    }

    /// Limits this process, as far as it may take it back: up to the system's hard limits, which stay.
    pub(super) fn apply(&self) -> io::Result<()> {
        let mut all = self.all();
        all.try_for_each(|(resource, value)| apply_limit(resource, value))
    }

    /// One bit for each that is limited, and the numbers of all.
    pub(super) const BYTES: usize = 1 + 8 * Resource::ALL.len();

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (at, value) in self.0.into_iter().enumerate() {
            bytes[0] |= u8::from(value.is_some()) << at;
            let value = value.unwrap_or_default().to_le_bytes();
            bytes[1 + 8 * at..][..8].copy_from_slice(&value);
        }
        bytes
    }

    pub(super) fn from_bytes([limited, values @ ..]: [u8; Self::BYTES]) -> Self {
        let (values, _) = values.as_chunks::<8>();
        Self(std::array::from_fn(|at| {
            let value = u64::from_le_bytes(values[at]);
            (limited >> at & 1 == 1).then_some(value)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_cross_and_each_is_in_its_place() {
        let mut limits = ResourceLimits::default();
        for (at, resource) in Resource::ALL.into_iter().enumerate() {
            assert_eq!(resource as usize, at);
            assert_eq!(ResourceLimits::from_bytes(limits.to_bytes()), limits);
            limits.set(resource, u64::MAX - at as u64);
        }
        assert_eq!(ResourceLimits::from_bytes(limits.to_bytes()), limits);
        assert_eq!(limits.all().count(), Resource::ALL.len());
    }
}
