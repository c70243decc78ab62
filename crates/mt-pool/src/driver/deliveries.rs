//! Deliveries on their way to the consumer: all of a turn together, which wakes it once.

use std::{
    mem,
    task::{Context, Poll, ready},
    vec,
};

use mt_proto::{Kept, guarded};
use tokio::sync::mpsc;

use super::call_routes::RouteEnd;
use crate::dispatch::Delivery;

/// Deliveries for one consumer, of which no more wait than `capacity`.
pub(crate) fn deliveries(capacity: usize) -> (DeliverySender, DeliveryReceiver) {
    let (sender, turns) = mpsc::channel(capacity);
    let sender = DeliverySender {
        to: To::Consumer(Kept::new(sender)),
        open: Vec::new(),
    };
    let current = Vec::new().into_iter();
    (sender, DeliveryReceiver { turns, current })
}

/// The driver's end.
#[derive(Debug)]
pub(crate) struct DeliverySender {
    to: To,
    open: Vec<Delivery>,
}

#[derive(Debug)]
enum To {
    /// Sending, and dropping it, wakes the consumer, whose waker is user code.
    Consumer(Kept<mpsc::Sender<Vec<Delivery>>>),
    Callers(RouteEnd),
}

impl DeliverySender {
    /// Hands each outcome to whoever waits for it.
    pub(crate) fn to_callers(routes: RouteEnd) -> Self {
        Self {
            to: To::Callers(routes),
            open: Vec::new(),
        }
    }

    /// Adds one to those of this turn.
    pub(super) fn push(&mut self, delivery: Delivery) {
        self.open.push(delivery);
    }

    /// Ends a turn: hands over what was pushed since the last.
    pub(super) fn flush(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let turn = mem::take(&mut self.open);
        match &self.to {
            // Every delivery is an item at least, and the consumer's credit bounds those: so there is room, unless the
            // consumer is gone.
            To::Consumer(turns) => {
                let _ = guarded(|| turns.try_send(turn).is_ok());
            }
            To::Callers(routes) => routes.route(turn),
        }
    }
}

/// The consumer's end.
#[derive(Debug)]
pub(crate) struct DeliveryReceiver {
    turns: mpsc::Receiver<Vec<Delivery>>,
    /// What is left of the turn that came last.
    current: vec::IntoIter<Delivery>,
}

impl DeliveryReceiver {
    /// The next delivery; `None` when there are no more.
    #[inline]
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        loop {
            if let Some(delivery) = self.current.next() {
                return Poll::Ready(Some(delivery));
            }
            match ready!(self.turns.poll_recv(cx)) {
                Some(turn) => self.current = turn.into_iter(),
                None => return Poll::Ready(None),
            }
        }
    }

    /// Takes nothing more, and drops what waits.
    pub(crate) fn close(&mut self) {
        self.turns.close();
        self.current = Vec::new().into_iter();
    }
}
