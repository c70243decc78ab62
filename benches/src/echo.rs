//! The raw echo: two processes, one socket, the pool's own frames and codec, and nothing else.
//!
//! The parent encodes frames of items; the child decodes every item and encodes it as a result; the
//! parent decodes every result. No runtime, no bookkeeping, no second worker: what a pool could reach
//! if all it does beyond that were free. Each side is one thread with blocking calls.
//!
//! [`Shape`] makes other references of it: one item a frame is the echo of single messages; with one
//! frame in flight as well, it is the round trip. [`round_trips`] is the round trip of a single byte through
//! tokio, and [`bare_start`] the start of a process that does nothing.

mod child;
mod parent;
mod start;
mod trip;
mod wire;

pub use child::{is_echo_child, run_child};
pub use parent::{Shape, raw_echo};
pub use start::bare_start;
pub use trip::round_trips;
