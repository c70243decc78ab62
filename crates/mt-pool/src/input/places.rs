//! Places in a queue, so many and of so many bytes; who comes when there are none waits in a fair line.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use futures::FutureExt;
use mt_proto::guarded;
use tokio::sync::oneshot;

use crate::{
    fair_line::{FairLine, LinePlace, Rank},
    lock::lock,
};

/// How much a queue takes in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceLimits {
    /// The most that are in it at once.
    pub(crate) count: usize,
    /// The most bytes of these; one may have more while there is no other.
    pub(crate) bytes: usize,
}

/// The places of a queue.
#[derive(Debug)]
pub(crate) struct CallPlaces {
    limits: PlaceLimits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: PlaceLimits,
    line: FairLine<PlaceWaiter>,
    /// How many have come to the line.
    came: u64,
}

#[derive(Debug)]
struct PlaceWaiter {
    bytes: usize,
    admitted: oneshot::Sender<HeldPlace>,
}

/// A place that somebody has, until it is dropped.
#[derive(Debug)]
pub(crate) struct HeldPlace {
    places: Arc<CallPlaces>,
    bytes: usize,
}

/// Somebody in the line, as a future of the place when it is the turn of whoever asks. Dropped, it gives up its turn.
pub(crate) struct InLine {
    places: Arc<CallPlaces>,
    place: LinePlace,
    admitted: oneshot::Receiver<HeldPlace>,
}

impl CallPlaces {
    pub(crate) fn new(limits: PlaceLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::new(State {
                free: limits,
                line: FairLine::default(),
                came: 0,
            }),
        })
    }

    /// Takes a place, if there is one and nobody else waits for it.
    pub(crate) fn try_take(self: &Arc<Self>, bytes: usize) -> Option<HeldPlace> {
        let bytes = bytes.min(self.limits.bytes);
        let mut state = lock(&self.state);
        (state.line.is_empty() && state.take(bytes)).then(|| self.held(bytes))
    }

    /// How many have places, and how many wait for one.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (self.limits.count - state.free.count, state.line.len())
    }

    /// Takes a place, or one in the line for it.
    pub(crate) fn ask(self: &Arc<Self>, rank: Rank, bytes: usize) -> Result<HeldPlace, InLine> {
        let bytes = bytes.min(self.limits.bytes);
        let mut state = lock(&self.state);
        if state.line.is_empty() && state.take(bytes) {
            return Ok(self.held(bytes));
        }
        let (sender, admitted) = oneshot::channel();
        let waiter = PlaceWaiter {
            bytes,
            admitted: sender,
        };
        let number = state.came;
        state.came += 1;
        let place = state.line.join(rank, number, waiter);
        Err(InLine {
            places: Arc::clone(self),
            place,
            admitted,
        })
    }

    fn held(self: &Arc<Self>, bytes: usize) -> HeldPlace {
        HeldPlace {
            places: Arc::clone(self),
            bytes,
        }
    }

    /// Lets in those for whom there are places now.
    fn admit(self: &Arc<Self>, change: impl FnOnce(&mut State)) {
        let mut admitted = Vec::new();
        let mut state = lock(&self.state);
        change(&mut state);
        while let Some(bytes) = state.line.first().map(|first| first.bytes)
            && state.take(bytes)
            && let Some(waiter) = state.line.pop()
        {
            admitted.push((waiter.admitted, self.held(bytes)));
        }
        drop(state);
        for (waiter, place) in admitted {
            // It wakes the caller, whose waker is user code. One that has just left gives its place back.
            let _ = guarded(|| drop(waiter.send(place)));
        }
    }
}

impl State {
    fn take(&mut self, bytes: usize) -> bool {
        let has_room = self.free.count > 0 && self.free.bytes >= bytes;
        if has_room {
            self.free.count -= 1;
            self.free.bytes -= bytes;
        }
        has_room
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        self.places.admit(|state| {
            state.free.count += 1;
            state.free.bytes += self.bytes;
        });
    }
}

impl Future for InLine {
    type Output = HeldPlace;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<HeldPlace> {
        let admitted = ready!(self.admitted.poll_unpin(cx));
        // Whoever is in the line keeps it alive.
        Poll::Ready(admitted.expect("a line lasts as long as who waits in it"))
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        // Those behind may be content with less.
        self.places.admit(|state| {
            state.line.leave(self.place);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;

    use super::*;
    use crate::fair_line::Caller;

    const ANY: Rank = Rank {
        priority: 0,
        caller: Caller::Clone(0),
    };

    fn places(count: usize, bytes: usize) -> Arc<CallPlaces> {
        CallPlaces::new(PlaceLimits { count, bytes })
    }

    async fn take(places: &Arc<CallPlaces>, bytes: usize) -> HeldPlace {
        match places.ask(ANY, bytes) {
            Ok(place) => place,
            Err(line) => line.await,
        }
    }

    /// Case M202: Who waits for a place gets it in turn, and nobody who comes later goes before.
    #[tokio::test]
    async fn places_are_taken_in_turn() {
        let places = places(2, 100);
        let one = places.try_take(10).unwrap();
        let large = places.try_take(1000).is_none();
        assert!(large, "more than all may only come alone");
        let two = places.try_take(90).unwrap();
        assert!(places.try_take(0).is_none());
        let mut third = pin!(take(&places, 50));
        let mut fourth = pin!(take(&places, 5));
        assert!(poll!(&mut third).is_pending() && poll!(&mut fourth).is_pending());
        drop(one);
        assert!(poll!(&mut third).is_pending(), "there are 10 bytes");
        assert!(poll!(&mut fourth).is_pending(), "it does not go before");
        assert!(places.try_take(0).is_none());
        drop(two);
        let third = third.await;
        let fourth = fourth.await;
        drop((third, fourth));
        assert_eq!(lock(&places.state).free.bytes, 100);
        drop(places.try_take(1000).expect("alone"));
    }

    #[tokio::test]
    async fn who_gives_up_holds_up_nobody() {
        let places = places(2, 100);
        let one = places.try_take(60).unwrap();
        let mut large = Box::pin(take(&places, 90));
        let mut small = Box::pin(take(&places, 30));
        assert!(poll!(&mut large).is_pending() && poll!(&mut small).is_pending());
        drop(large);
        let small = small.await;
        let mut gone = Box::pin(take(&places, 90));
        assert!(poll!(&mut gone).is_pending());
        drop((one, small));
        drop(gone); // with a place that it has not taken
        let state = lock(&places.state);
        assert_eq!((state.free.count, state.free.bytes), (2, 100));
        assert!(state.line.is_empty());
    }
}
