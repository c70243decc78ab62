//! What a worker is told before anything else, in the same bytes on every system.

use super::ResourceLimits;

/// What a worker finds in its connection when it starts, beside the parent's id and the progress page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// Whether it keeps the descriptors it has inherited.
    pub(crate) keeps_descriptors: bool,
    /// Whether it ignores a `SIGTERM` that is not its parent's.
    pub(crate) ignores_terminate: bool,
    /// The stack of its code.
    pub(crate) stack_bytes: u64,
    /// The slot of the worker.
    pub(crate) slot: Option<u32>,
    /// The niceness of the worker, unless that is to stay as it is.
    pub(crate) niceness: Option<u8>,
    /// What it limits itself to.
    pub(crate) limits: ResourceLimits,
    /// Whether it captures its standard output, with files that come beside the progress page.
    pub(crate) captures: bool,
}

/// The parent's id, 1 for a worker that keeps descriptors, 2 for one that ignores others' `SIGTERM` and 4 for one that
/// captures its standard output, the stack, the slot, the niceness, and the limits, little-endian.
pub(super) const GREETING_BYTES: usize = 4 + 1 + 8 + 4 + 1 + ResourceLimits::BYTES;
/// In place of a slot, for a worker that has none.
const NO_SLOT: u32 = u32::MAX;
/// In place of a niceness, for a worker that keeps the one it has.
const NO_NICENESS: u8 = u8::MAX;

impl Greeting {
    pub(super) fn to_bytes(self, parent: u32) -> [u8; GREETING_BYTES] {
        let mut bytes = [0; GREETING_BYTES];
        bytes[..4].copy_from_slice(&parent.to_le_bytes());
        bytes[4] = u8::from(self.keeps_descriptors)
            | u8::from(self.ignores_terminate) << 1
            | u8::from(self.captures) << 2;
        bytes[5..13].copy_from_slice(&self.stack_bytes.to_le_bytes());
        bytes[13..17].copy_from_slice(&self.slot.unwrap_or(NO_SLOT).to_le_bytes());
        bytes[17] = self.niceness.unwrap_or(NO_NICENESS);
        bytes[18..].copy_from_slice(&self.limits.to_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; GREETING_BYTES]) -> Option<(u32, Self)> {
        let (parent, rest) = bytes.split_first_chunk()?;
        let (&[flags], rest) = rest.split_first_chunk()?;
        let (stack, rest) = rest.split_first_chunk()?;
        let (slot, rest) = rest.split_first_chunk()?;
        let (&[niceness], rest) = rest.split_first_chunk()?;
        let (limits, _) = rest.split_first_chunk()?;
        let parent = u32::from_le_bytes(*parent);
        let slot = u32::from_le_bytes(*slot);
        let greeting = Self {
            keeps_descriptors: flags & 1 != 0,
            ignores_terminate: flags & 2 != 0,
            captures: flags & 4 != 0,
            stack_bytes: u64::from_le_bytes(*stack),
            slot: (slot != NO_SLOT).then_some(slot),
            niceness: (niceness != NO_NICENESS).then_some(niceness),
            limits: ResourceLimits::from_bytes(*limits),
        };
        (parent > 0).then_some((parent, greeting))
    }
}
