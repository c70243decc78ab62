//! The sending side: two bounded lanes, and a [`Writer`] that moves what is in them to the operating system, as many
//! frames as there are in one call.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use mt_proto::{Attachments, CHUNK_BYTES, EncodedFrames, Frame, Outgoing, Unit};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::Notify,
};

use crate::{SendError, platform::has_too_many_on_the_way};

/// The most buffers of one vectored write. POSIX lets a system refuse more than 16; all that we run
/// on take 1024.
const MAX_SLICES: usize = 512;

/// How long is waited when so many descriptors of this user are on their way that the system takes no more.
const CROWDED: Duration = Duration::from_millis(1);

/// The bounds of a connection's send queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// The most control frames waiting. Default 64: heartbeats every half second never come near it
    /// unless the other side has stopped reading for good.
    pub control_frames: usize,
    /// The most bulk frames waiting. Default 4096; the sender's own credit keeps it far below.
    pub bulk_frames: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            control_frames: 64,
            bulk_frames: 4096,
        }
    }
}

/// Queues frames for sending. Clones share the queue.
#[derive(Debug, Clone)]
pub struct FrameSender(Arc<Shared>);

/// The writer's end of the lanes.
#[derive(Debug)]
pub(crate) struct Outlet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    limits: QueueLimits,
    lanes: Mutex<Lanes>,
    filled: Notify,
    emptied: Notify,
    /// How often there was room again after there had been none.
    room_made: AtomicU64,
}

#[derive(Debug, Default)]
struct Lanes {
    control: VecDeque<Outgoing>,
    bulk: VecDeque<Outgoing>,
    /// The writer waits for more.
    idle: bool,
    /// No frame is taken any more; the writer ends when the lanes are empty.
    closing: bool,
    /// The writer is gone: nothing will be sent any more.
    broken: bool,
}

pub(crate) fn lanes(limits: QueueLimits) -> (FrameSender, Outlet) {
    let shared = Arc::new(Shared {
        limits,
        ..Shared::default()
    });
    (FrameSender(Arc::clone(&shared)), Outlet(shared))
}

impl FrameSender {
    /// Queues a frame in the lane of its kind. Never blocks.
    ///
    /// # Errors
    /// [`SendError::Full`] when the lane is at its limit and [`SendError::Closed`] when the
    /// connection is closed or broken; the frame was not queued.
    pub fn try_send(&self, frame: Frame) -> Result<(), SendError> {
        let control = frame.kind.is_control();
        self.push(Outgoing::frame(frame), control)
    }

    /// Queues encoded bulk frames, as a [`SegmentWriter`](mt_proto::SegmentWriter) makes them. They count as
    /// one frame of the bulk lane. Never blocks.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_send_encoded(&self, frames: impl Into<EncodedFrames>) -> Result<(), SendError> {
        self.push(Outgoing::encoded(frames.into()), false)
    }

    /// Lets the writer send what is queued and then end the connection's sending side.
    pub fn close(&self) {
        self.0.lock().closing = true;
        self.0.filled.notify_one();
        self.0.emptied.notify_one();
    }

    /// Waits until fewer than `frames` bulk frames are queued, or the connection is closed or broken.
    ///
    /// Cancel-safe. Meant for one caller at a time: a second one may be woken late.
    pub async fn bulk_below(&self, frames: usize) {
        loop {
            let emptied = self.0.emptied.notified();
            {
                let lanes = self.0.lock();
                if lanes.bulk.len() < frames || lanes.closing || lanes.broken {
                    return;
                }
            }
            emptied.await;
        }
    }

    /// How often the other side has made room by reading, after the connection had been full. While something long is
    /// sent, this grows as long as the other side takes it in.
    #[must_use]
    pub fn room_made(&self) -> u64 {
        self.0.room_made.load(Ordering::Relaxed)
    }

    /// Whether all that was queued is with the operating system.
    #[must_use]
    pub fn all_sent(&self) -> bool {
        self.0.lock().idle
    }

    fn push(&self, outgoing: Outgoing, control: bool) -> Result<(), SendError> {
        {
            let mut lanes = self.0.lock();
            if lanes.closing || lanes.broken {
                return Err(SendError::Closed);
            }
            let limits = self.0.limits;
            let (lane, limit) = if control {
                (&mut lanes.control, limits.control_frames)
            } else {
                (&mut lanes.bulk, limits.bulk_frames)
            };
            if lane.len() >= limit {
                return Err(SendError::Full);
            }
            lane.push_back(outgoing);
            lanes.idle = false;
        }
        self.0.filled.notify_one();
        Ok(())
    }
}

impl Shared {
    /// No code that can panic runs under the lock, so a poisoned lane is still consistent.
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// Waits until there is something to send and takes it: all control units, and about one chunk
    /// of bulk. `false` when the lanes are closed and empty.
    ///
    /// Cancel-safe: units are taken only when it returns.
    pub(crate) async fn gather(&self, units: &mut Vec<Unit>) -> bool {
        loop {
            {
                let mut lanes = self.0.lock();
                take_units(&mut lanes, units);
                if !units.is_empty() {
                    self.0.emptied.notify_one();
                    return true;
                }
                if lanes.closing {
                    return false;
                }
                lanes.idle = true;
            }
            self.0.filled.notified().await;
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut lanes = self.0.lock();
        lanes.broken = true;
        lanes.control.clear();
        lanes.bulk.clear();
        self.0.emptied.notify_one();
    }
}

fn take_units(lanes: &mut Lanes, units: &mut Vec<Unit>) {
    let mut bytes = 0;
    for lane in [&mut lanes.control, &mut lanes.bulk] {
        while bytes < CHUNK_BYTES {
            let Some(front) = lane.front_mut() else { break };
            match front.next_unit() {
                Some(unit) => {
                    bytes += unit.len_bytes();
                    units.push(unit);
                }
                None => {
                    lane.pop_front();
                }
            }
        }
        // A frame whose last unit was taken leaves its place at once.
        if lane.front().is_some_and(|front| front.len_bytes() == 0) {
            lane.pop_front();
        }
    }
}

pub(crate) type WriteHalf = Pin<Box<dyn FrameSink>>;

/// What a [`Writer`] writes to.
pub(crate) trait FrameSink: AsyncWrite + std::fmt::Debug + Send {
    /// Writes what there is room for. The attachments are there for whoever reads the first byte of it.
    fn poll_write_attached(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        attachments: &Attachments,
    ) -> Poll<io::Result<usize>>;
}

/// Sends what a [`FrameSender`] queues. Has to be run by its owner: as one arm of
/// a loop, or as a task in a `JoinSet`. Dropping it breaks the connection's sending side.
#[derive(Debug)]
pub struct Writer {
    io: WriteHalf,
    outlet: Outlet,
}

impl Writer {
    pub(crate) fn new(io: WriteHalf, outlet: Outlet) -> Self {
        Self { io, outlet }
    }

    /// Sends until the sender is closed and everything is sent; then ends the sending side (a worker's
    /// ends with its process).
    ///
    /// Not cancel-safe: dropping the future in the middle may leave half a frame on the wire.
    ///
    /// # Errors
    /// The connection's error, typically a broken pipe when the other side is gone. Which frames
    /// arrived is unknown then.
    pub async fn run(mut self) -> io::Result<()> {
        let mut units = Vec::new();
        while self.outlet.gather(&mut units).await {
            write_all(&mut self.io, &units, &self.outlet.0.room_made).await?;
            units.clear();
            // Where the system has taken it already there is nothing to do.
            self.io.flush().await?;
        }
        self.io.shutdown().await
    }
}

async fn write_all(io: &mut WriteHalf, units: &[Unit], room_made: &AtomicU64) -> io::Result<()> {
    // Who has attachments begins a call: they are there for whoever reads its first byte.
    for together in units.chunk_by(|_, next| next.attachments.is_empty()) {
        let mut attached = &together[0].attachments;
        for some in together.chunks(MAX_SLICES / 2) {
            write_some(io, some, attached, room_made).await?;
            attached = &Attachments::NONE;
        }
    }
    Ok(())
}

async fn write_some(
    io: &mut WriteHalf,
    units: &[Unit],
    mut attached: &Attachments,
    room_made: &AtomicU64,
) -> io::Result<()> {
    let mut all: Vec<IoSlice<'_>> = Vec::with_capacity(2 * units.len());
    for unit in units {
        all.extend([unit.head(), &unit.body].map(IoSlice::new));
    }
    all.retain(|slice| !slice.is_empty());
    let mut left = &mut all[..];
    while !left.is_empty() {
        let mut was_full = false;
        let write = poll_fn(|cx| {
            let polled = match attached.is_empty() {
                true => io.as_mut().poll_write_vectored(cx, left),
                false => io.as_mut().poll_write_attached(cx, left, attached),
            };
            was_full |= polled.is_pending();
            polled
        });
        let n = match write.await {
            Err(error) if has_too_many_on_the_way(&error) => {
                // Nobody tells when others have received theirs.
                tokio::time::sleep(CROWDED).await;
                continue;
            }
            written => written?,
        };
        if was_full {
            room_made.fetch_add(1, Ordering::Relaxed);
        }
        if n == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        attached = &Attachments::NONE;
        IoSlice::advance_slices(&mut left, n);
    }
    Ok(())
}
