//! Pulls the input in a thread of its own, encodes each item, and puts it into the exchange.

use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use futures::{FutureExt, Stream, StreamExt};
use mt_proto::{EncodeError, RecordBuffer, RecordTag, push_record};
use tokio::runtime::{Builder, Handle};

use super::{FeedEnd, Source};
use crate::{
    Wire,
    dispatch::{Delivery, Lost},
    worker::panic_text,
};

/// An encoded item longer than this is handed over as it is instead of being copied to others.
const LONG_BYTES: usize = 16 * 1024;

/// The most items of an input in memory that are pulled at once, and the bytes that are enough.
const GATHER_ITEMS: u64 = 2048;
const GATHER_BYTES: usize = 32 * 1024;

/// Starts the thread that pulls `source`, whose items may have `max_item_bytes` encoded. The thread ends when the
/// input does, or soon after the exchange is closed: as soon as the input yields once more.
pub(crate) fn spawn_feeder<I: Wire>(
    source: Source<I>,
    feed: FeedEnd,
    max_item_bytes: usize,
) -> io::Result<()> {
    let feeder = Feeder {
        feed,
        max_item_bytes,
        scratch: Vec::new(),
    };
    let thread = thread::Builder::new().name("mt-feeder".into());
    match source {
        Source::Iter(iter) => thread.spawn(move || feeder.pull(iter))?,
        Source::Memory(iter) => thread.spawn(move || feeder.gather(iter))?,
        Source::Stream(stream) => match Handle::try_current() {
            Ok(caller) => thread.spawn(move || caller.block_on(feeder.poll(stream)))?,
            Err(_) => {
                let own = Builder::new_current_thread().enable_all().build()?;
                thread.spawn(move || own.block_on(feeder.poll(stream)))?
            }
        },
    };
    Ok(())
}

struct Feeder {
    feed: FeedEnd,
    max_item_bytes: usize,
    scratch: Vec<u8>,
}

impl Feeder {
    fn pull<I: Wire>(mut self, mut iter: Box<dyn Iterator<Item = I> + Send>) {
        let mut reserved = self.feed.reserve(None);
        while reserved.is_ok() {
            match catch_unwind(AssertUnwindSafe(|| iter.next())) {
                Ok(Some(item)) => {
                    reserved = if self.encode(item) {
                        self.feed.push_and_reserve(&self.scratch)
                    } else {
                        self.feed.reserve(None)
                    };
                }
                Ok(None) => {
                    self.feed.give_back(1);
                    break;
                }
                Err(panic) => return self.input_panicked(&*panic),
            }
        }
        self.feed.end();
    }

    /// Pulls an input that never blocks, many items at a time.
    fn gather<I: Wire>(self, mut iter: Box<dyn Iterator<Item = I> + Send>) {
        let mut block = RecordBuffer::default();
        let mut ended = false;
        while !ended {
            if self.feed.reserve(None).is_err() {
                break;
            }
            let mut left = 1 + self.feed.try_reserve(GATHER_ITEMS - 1).unwrap_or(0);
            while let Err(lost) = self.fill(&mut block, &mut iter, &mut left, &mut ended) {
                self.feed.push_some(&mut block);
                self.refuse(lost);
            }
            self.feed.push_some(&mut block);
            self.feed.give_back(left);
        }
        self.feed.end();
    }

    /// Pulls items into a block until it is full, `left` is used up, or the input has ended; or until
    /// an item can't be sent.
    fn fill<I: Wire>(
        &self,
        block: &mut RecordBuffer,
        iter: &mut Box<dyn Iterator<Item = I> + Send>,
        left: &mut u64,
        ended: &mut bool,
    ) -> Result<(), Lost> {
        let limit = self.max_item_bytes;
        let mut before = block.count();
        // One guarded region for all items: what is in the block tells how far the last one came.
        let filled = catch_unwind(AssertUnwindSafe(|| {
            while *left > 0 && block.len_bytes() < GATHER_BYTES {
                let Some(item) = iter.next() else {
                    *ended = true;
                    return Ok(());
                };
                *left -= 1;
                before = block.count();
                block.push(&item, limit)?;
            }
            Ok(())
        }));
        match filled {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(lost(&error)),
            // Its `Drop` panicked. What goes wrong with the original does not undo its copy.
            Err(_) if block.count() > before => Ok(()),
            Err(panic) => Err(serialize_panicked(&*panic)),
        }
    }

    async fn poll<I: Wire>(mut self, mut stream: impl Stream<Item = I> + Unpin) {
        while self.feed.reserve_async().await.is_ok() {
            match AssertUnwindSafe(stream.next()).catch_unwind().await {
                Ok(Some(item)) => {
                    if self.encode(item) {
                        self.feed.push(&self.scratch);
                    }
                }
                Ok(None) => {
                    self.feed.give_back(1);
                    break;
                }
                Err(panic) => return self.input_panicked(&*panic),
            }
        }
        self.feed.end();
    }

    /// Encodes an item. True: it is in the scratch buffer, for the exchange. False: it is too long to
    /// be copied or can't be sent, and was handed over already.
    ///
    /// Encoding is outside the exchange's lock: a `Serialize` and a `Drop` are user code that may take
    /// their time or panic.
    #[inline]
    fn encode<I: Wire>(&mut self, item: I) -> bool {
        let (scratch, limit) = (&mut self.scratch, self.max_item_bytes);
        scratch.clear();
        let encode = || push_record(scratch, RecordTag::Value, &item, limit);
        let encoded = catch_unwind(AssertUnwindSafe(encode));
        // What goes wrong with the original does not undo its copy.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(item)));
        match encoded {
            Ok(Ok(())) if self.scratch.len() <= LONG_BYTES => return true,
            Ok(Ok(())) => self
                .feed
                .push_long(std::mem::take(&mut self.scratch).into()),
            Ok(Err(error)) => self.refuse(lost(&error)),
            Err(panic) => self.refuse(serialize_panicked(&*panic)),
        }
        false
    }

    fn refuse(&self, lost: Lost) {
        self.feed
            .push_refused(|index| Delivery::refused(index, lost));
    }

    /// The panic takes the place of the item that did not come.
    fn input_panicked(&self, panic: &(dyn Any + Send)) {
        self.refuse(Lost::InputPanicked(panic_text(panic)));
        self.feed.end();
    }
}

fn serialize_panicked(panic: &(dyn Any + Send)) -> Lost {
    let why = format!("its `Serialize` panicked: {}", panic_text(panic));
    Lost::Unserialisable(why)
}

fn lost(error: &EncodeError) -> Lost {
    match error {
        EncodeError::TooLarge { limit } => Lost::TooLarge {
            limit_bytes: *limit as u64,
        },
        other => Lost::Unserialisable(other.to_string()),
    }
}
