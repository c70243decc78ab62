//! How deep a value nests while it is written or read, so that no value can overflow a stack.

/// The most containers (sequences, maps, structs, tuples, `Some`, enum variants with content) within each other in a
/// value that crosses. A value that nests deeper is refused where it is encoded, and where it is decoded.
pub const MAX_NESTING: u32 = 1023;

/// The most bytes of the stack that encoding or decoding one value may take, whatever it nests: half of the 2 MiB that
/// threads of Rust have by default. Types of many bytes, and builds without optimisation, come to it before
/// [`MAX_NESTING`].
pub const MAX_NESTING_STACK_BYTES: usize = 1024 * 1024;

/// So many containers within each other are no danger to any stack, and cost no look at it.
const SHALLOW: u32 = 4;

/// How far above the first address a later one of the same walk can be: both are in one frame when calls are inlined.
const FRAME_BYTES: usize = 64 * 1024;

/// Where a value is being written or read.
#[derive(Debug)]
pub(super) struct Nesting {
    depth: u32,
    /// An address on the stack of whoever begins, and a frame more.
    top: usize,
}

impl Nesting {
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            depth: 0,
            top: stack_address().wrapping_add(FRAME_BYTES),
        }
    }

    /// A container begins; `None` if that is one too many.
    #[inline]
    pub(super) fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        match self.depth <= SHALLOW {
            true => Some(()),
            false => look(self.depth, self.top),
        }
    }

    /// A container ends. One that fails need not: then all of the value does.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

// Given values, so that what the caller knows of its memory stays known.
#[inline(never)]
fn look(depth: u32, top: usize) -> Option<()> {
    // Stacks grow downwards wherever Rust runs.
    let used = top.wrapping_sub(stack_address());
    (depth <= MAX_NESTING && used <= MAX_NESTING_STACK_BYTES + FRAME_BYTES).then_some(())
}

/// What is said of a value that nests too deep.
pub(super) fn too_deep() -> String {
    format!(
        "the value nests too deep: more than {MAX_NESTING} containers within each other, or more than {} KiB of stack \
         to walk them; keep it flat (a `Vec` whose elements name each other by index)",
        MAX_NESTING_STACK_BYTES / 1024
    )
}

/// About where the stack ends now.
#[inline]
fn stack_address() -> usize {
    let here = 0_u8;
    (&raw const here).addr()
}
