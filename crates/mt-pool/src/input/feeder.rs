//! Pulls the input in a thread of its own, encodes each item, and puts it into the exchange.
//!
//! Loop: one a run. For the next of a stream it waits beside the end of the run; both waits are cancel-safe.

use std::{future::poll_fn, io, mem::needs_drop, pin::Pin, task::Poll, thread};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use mt_proto::{
    Attachments, CrossesAs, EncodeError, Kept, RecordBuffer, UserPanic, dispose, guarded,
    push_attaching,
};
use tokio::runtime::{self, Handle, RuntimeFlavor};

use super::{FeedEnd, Source, exchange::Unfed};
use crate::{
    Wire,
    dispatch::{Delivery, Lost},
    supervision::OwnRuntime,
};

/// An encoded item longer than this is handed over as it is instead of being copied to others.
const LONG_BYTES: usize = 16 * 1024;

/// The most items of an input in memory that are pulled at once, and the bytes that are enough.
const GATHER_ITEMS: u64 = 2048;
const GATHER_BYTES: usize = 32 * 1024;

const NAME: &str = "mt-feeder";

type Iter<I> = Box<dyn Iterator<Item = I> + Send>;
type ItemStream<I> = Pin<Box<dyn Stream<Item = I> + Send>>;

/// Starts the thread that pulls `source`, whose items may have `max_item_bytes` encoded. The thread ends when the
/// input does, or when the exchange is closed: a stream is left at once, an iterator as soon as it yields once more.
pub(crate) fn spawn_feeder<I: Wire>(
    source: Kept<Source<I>>,
    feed: FeedEnd,
    max_item_bytes: usize,
) -> io::Result<()> {
    let feeder = Feeder::new(feed, max_item_bytes);
    let thread = thread::Builder::new().name(NAME.into());
    match source.into_inner() {
        Source::Iter(iter) => {
            let iter = Kept::new(iter);
            thread.spawn(move || feeder.pull::<I, I>(iter))?;
        }
        Source::Memory(iter) => {
            let iter = InMemory(Kept::new(iter));
            thread.spawn(move || feeder.gather(iter))?;
        }
        Source::Stream(stream) => {
            let stream = Kept::new(stream);
            match Handle::try_current() {
                Ok(caller) => {
                    let one_thread = caller.runtime_flavor() == RuntimeFlavor::CurrentThread;
                    let turned_by_caller = one_thread.then(|| caller.id());
                    let poll = feeder.poll(stream, turned_by_caller);
                    thread.spawn(move || caller.block_on(poll))?;
                }
                Err(_) => OwnRuntime::new()?.on_thread(NAME, move |own| {
                    own.block_on(feeder.poll(stream, None));
                })?,
            }
        }
    }
    Ok(())
}

/// Starts such a thread in a scope, for an iterator that may borrow from outside of it, and whose items cross as an `I`.
pub(crate) fn spawn_scoped_feeder<'scope, I: Wire, V: CrossesAs<I>>(
    threads: &'scope thread::Scope<'scope, '_>,
    iter: Kept<impl Iterator<Item = V> + Send + 'scope>,
    feed: FeedEnd,
    max_item_bytes: usize,
) -> io::Result<()> {
    let feeder = Feeder::new(feed, max_item_bytes);
    let thread = thread::Builder::new().name(NAME.into());
    thread.spawn_scoped(threads, move || feeder.pull::<I, V>(iter))?;
    Ok(())
}

struct Feeder {
    feed: FeedEnd,
    max_item_bytes: usize,
    scratch: Vec<u8>,
}

/// However it ends, the exchange is told: before the input is dropped, which may take its time.
impl Drop for Feeder {
    fn drop(&mut self) {
        self.feed.end();
    }
}

/// What is left of an input in memory goes item by item: of two that panic when they are dropped together, the second
/// would end the process.
struct InMemory<I>(Kept<Iter<I>>);

impl<I> Drop for InMemory<I> {
    fn drop(&mut self) {
        if needs_drop::<I>() {
            self.0.by_ref().for_each(dispose);
        }
    }
}

/// An item that does not come with others.
enum Alone {
    /// Not to be sent.
    Lost(Lost),
    /// The record, and what crosses beside it.
    Attached(Bytes, Attachments),
}

impl Feeder {
    fn new(feed: FeedEnd, max_item_bytes: usize) -> Self {
        Self {
            feed,
            max_item_bytes,
            scratch: Vec::new(),
        }
    }

    fn pull<I: Wire, V: CrossesAs<I>>(mut self, mut iter: Kept<impl Iterator<Item = V>>) {
        let mut reserved = self.feed.reserve(None);
        while reserved.is_ok() {
            match guarded(|| iter.next()) {
                Ok(Some(item)) => {
                    reserved = if self.encode::<I, V>(item) {
                        self.feed.push_and_reserve(&self.scratch)
                    } else {
                        self.feed.reserve(None)
                    };
                }
                Ok(None) => {
                    self.feed.give_back(1);
                    break;
                }
                Err(panic) => {
                    self.refuse(Lost::InputPanicked(panic.into_message()));
                    break;
                }
            }
        }
        drop(self);
    }

    /// Pulls an input that never blocks, many items at a time.
    fn gather<I: Wire>(self, mut iter: InMemory<I>) {
        let mut block = RecordBuffer::default();
        let mut ended = false;
        while !ended {
            if self.feed.reserve(None).is_err() {
                break;
            }
            let mut left = 1 + self.feed.try_reserve(GATHER_ITEMS - 1).unwrap_or(0);
            while let Err(alone) = self.fill(&mut block, &mut iter.0, &mut left, &mut ended) {
                self.feed.push_some(&mut block);
                match alone {
                    Alone::Lost(lost) => self.refuse(lost),
                    Alone::Attached(record, beside) => {
                        self.feed.push_alone(record, beside);
                    }
                }
            }
            self.feed.push_some(&mut block);
            self.feed.give_back(left);
        }
        drop(self);
    }

    /// Pulls items into a block until it is full, `left` is used up, or the input has ended; or until
    /// an item can't be sent, or not with others.
    fn fill<I: Wire>(
        &self,
        block: &mut RecordBuffer,
        iter: &mut Iter<I>,
        left: &mut u64,
        ended: &mut bool,
    ) -> Result<(), Alone> {
        let limit = self.max_item_bytes;
        let mut before = block.len_bytes();
        let mut attachments = Attachments::NONE;
        // Not the guarded code's own, which must not drop it while it unwinds.
        let mut item = None;
        // One guarded region for all items: what is in the block tells how far the last one came.
        let filled = guarded(|| {
            while *left > 0 && block.len_bytes() < GATHER_BYTES && attachments.is_empty() {
                item = iter.next();
                let Some(pulled) = &item else {
                    *ended = true;
                    return Ok(());
                };
                *left -= 1;
                before = block.len_bytes();
                block.push_attaching::<I, I>(pulled, limit, &mut attachments)?;
                item = None;
            }
            Ok(())
        });
        dispose(item);
        match filled {
            Ok(Err(error)) => Err(Alone::Lost(lost(&error))),
            Err(panic) if block.len_bytes() == before => Err(Alone::Lost(lost(&panic.into()))),
            // Its `Drop` may have panicked. What goes wrong with the original does not undo its copy.
            Ok(Ok(())) | Err(_) if attachments.is_empty() => Ok(()),
            Ok(Ok(())) | Err(_) => Err(Alone::Attached(block.split_off(before), attachments)),
        }
    }

    /// Polls a stream, inside the runtime that `turned_by_caller` is if that has one thread only.
    async fn poll<I: Wire>(
        mut self,
        mut stream: Kept<ItemStream<I>>,
        turned_by_caller: Option<runtime::Id>,
    ) {
        while self.feed.reserve_async().await.is_ok() {
            match self.next(&mut stream, turned_by_caller).await {
                Ok(Ok(Some(item))) => {
                    if self.encode::<I, I>(item) {
                        self.feed.push(&self.scratch);
                    }
                }
                Ok(Ok(None)) | Err(Unfed::Closed) => {
                    self.feed.give_back(1);
                    break;
                }
                Ok(Err(panic)) => {
                    self.refuse(Lost::InputPanicked(panic.into_message()));
                    break;
                }
                Err(Unfed::Blocked) => {
                    self.refuse(Lost::InputBlocked);
                    break;
                }
            }
        }
        drop(self);
        // Inside the runtime, which it may need for that.
        drop(stream);
    }

    /// The next of a stream, or why there is no point in waiting for it.
    async fn next<I>(
        &self,
        stream: &mut ItemStream<I>,
        turned_by_caller: Option<runtime::Id>,
    ) -> Result<Result<Option<I>, UserPanic>, Unfed> {
        let next = poll_fn(|cx| match guarded(|| stream.poll_next_unpin(cx)) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        // The stream first: what is ready comes, whatever else is the case. Both arms are cancel-safe.
        tokio::select! {
            biased;
            next = next => Ok(next),
            unfed = self.feed.unfed(turned_by_caller) => Err(unfed),
        }
    }

    /// Encodes an item. True: it is in the scratch buffer, for the exchange. False: it is too long to
    /// be copied, has attachments, or can't be sent, and was handed over already.
    ///
    /// Encoding is outside the exchange's lock: a `Serialize` and a `Drop` are user code that may take
    /// their time or panic.
    #[inline]
    fn encode<I: Wire, V: CrossesAs<I>>(&mut self, item: V) -> bool {
        let (scratch, limit) = (&mut self.scratch, self.max_item_bytes);
        scratch.clear();
        let mut attachments = Attachments::NONE;
        let encoded = guarded(|| push_attaching::<I, V>(scratch, &item, limit, &mut attachments));
        // What goes wrong with the original does not undo its copy.
        dispose(item);
        match encoded.map_err(EncodeError::from).flatten() {
            Ok(()) if self.scratch.len() <= LONG_BYTES && attachments.is_empty() => return true,
            Ok(()) => {
                let record = std::mem::take(&mut self.scratch).into();
                // One that comes too late is not part of the run.
                self.feed.push_alone(record, attachments);
            }
            Err(error) => self.refuse(lost(&error)),
        }
        false
    }

    fn refuse(&self, lost: Lost) {
        self.feed
            .push_refused(|index| Delivery::refused(index, lost));
    }
}

fn lost(error: &EncodeError) -> Lost {
    match error {
        EncodeError::TooLarge { limit } => Lost::TooLarge {
            limit_bytes: *limit as u64,
        },
        other => Lost::Unserialisable(other.to_string()),
    }
}
