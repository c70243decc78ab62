//! The named limits of the wire.

/// The most body bytes one frame on the wire carries; longer bodies travel as several frames.
///
/// 256 KiB takes a socket well under 0.1 ms, so a control frame never waits longer than that behind
/// bulk, and it is large enough that the header and the system call do not show.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// The most body bytes of a control frame (heartbeats, handshake), of a frame that holds a text for
/// people, and of one [`Failure`](crate::Failure). Such frames are never chunked.
pub const MAX_CONTROL_BYTES: usize = 64 * 1024;

/// The most bytes of one encoded item or result: the record header has 30 bits for the length.
pub const MAX_RECORD_BYTES: usize = (1 << 30) - 1;

/// The most bytes of one human-readable text that crosses (a panic message, a backtrace).
pub const MAX_TEXT_BYTES: usize = 16 * 1024;

/// The most attachments of one frame, and so of one value: what is beyond crosses as bytes. Linux takes 253 descriptors
/// a system call.
pub const MAX_ATTACHMENTS: usize = 64;

/// What a [`FrameDecoder`](crate::FrameDecoder) accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of one whole body after its chunks are joined. At least [`CHUNK_BYTES`] is
    /// always accepted. Default: [`MAX_RECORD_BYTES`] and one [`CHUNK_BYTES`] of company.
    pub max_body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: MAX_RECORD_BYTES + CHUNK_BYTES,
        }
    }
}
