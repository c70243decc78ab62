//! Memory that holds bytes: pages of the allocator, or a file that is mapped. Nobody writes to it once it is shared.
#![expect(unsafe_code, reason = "mapping memory, memory at a page")]

use std::{
    alloc::{Layout, alloc_zeroed, dealloc},
    io,
    ops::{Deref, DerefMut},
    ptr::NonNull,
    slice,
};

use super::system::{self, FileRef};

/// Where memory of the allocator begins: at a multiple of this.
const ALIGNMENT: usize = 4096;

/// Bytes at the start of a page. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Memory {
    start: NonNull<u8>,
    len: usize,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// No memory at all, for no bytes.
    Nowhere,
    Allocator,
    Mapped,
}

/// Bytes that are still being written: nobody else has them.
#[derive(Debug)]
pub(crate) struct WritableMemory(Memory);

// SAFETY: the memory is the value's own, and stays as long as it.
unsafe impl Send for Memory {}
// SAFETY: as above; what is shared is only read.
unsafe impl Sync for Memory {}

impl Memory {
    const EMPTY: Self = Self {
        start: NonNull::without_provenance(match std::num::NonZero::new(ALIGNMENT) {
            Some(address) => address,
            None => panic!("an alignment is no 0"),
        }),
        len: 0,
        origin: Origin::Nowhere,
    };

    /// Maps the first `len` bytes of a file for reading.
    ///
    /// The file has so many bytes, for ever, and nobody can write to it: the caller knows.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    pub(super) fn map(file: FileRef<'_>, len: usize) -> io::Result<Self> {
        map(file, len, false)
    }

    /// Whether this is a file's.
    pub(crate) fn is_mapped(&self) -> bool {
        self.origin == Origin::Mapped
    }
}

impl WritableMemory {
    /// So many zeros of the allocator's.
    pub(crate) fn zeroed(len: usize) -> io::Result<Self> {
        let Some(layout) = layout(len)? else {
            return Ok(Self(Memory::EMPTY));
        };
        // SAFETY: the layout has some bytes.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        Ok(Self(Memory {
            start: start.ok_or(io::ErrorKind::OutOfMemory)?,
            len,
            origin: Origin::Allocator,
        }))
    }

    /// Maps the first `len` bytes of a file that is this process's alone, for writing.
    pub(super) fn map(file: FileRef<'_>, len: usize) -> io::Result<Self> {
        map(file, len, true).map(Self)
    }

    /// The same bytes, which from now on nobody writes to.
    pub(crate) fn freeze(self) -> Memory {
        self.0
    }
}

fn layout(len: usize) -> io::Result<Option<Layout>> {
    let layout = Layout::from_size_align(len, ALIGNMENT);
    let layout = layout.map_err(|_| io::ErrorKind::OutOfMemory)?;
    Ok((len > 0).then_some(layout))
}

fn map(file: FileRef<'_>, len: usize, writable: bool) -> io::Result<Memory> {
    if len == 0 {
        return Ok(Memory::EMPTY);
    }
    Ok(Memory {
        start: system::map_file(file, len, writable)?,
        len,
        origin: Origin::Mapped,
    })
}

impl Deref for Memory {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes are there, initialised, as long as `self`, and nobody writes to them: memory of the
        // allocator is this value's alone, and files are sealed, or this process's alone until they are.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Deref for WritableMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for WritableMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `Memory::deref`, and the memory may be written to: nobody else has it.
        unsafe { slice::from_raw_parts_mut(self.0.start.as_ptr(), self.0.len) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        match self.origin {
            Origin::Nowhere => {}
            Origin::Allocator => {
                if let Ok(Some(layout)) = layout(self.len) {
                    // SAFETY: it was allocated with this layout, and no reference to it outlives `self`.
                    unsafe { dealloc(self.start.as_ptr(), layout) };
                }
            }
            Origin::Mapped => {
                // SAFETY: address and length are those of the mapping, and no reference into it outlives `self`.
                unsafe { system::unmap(self.start, self.len) };
            }
        }
    }
}
