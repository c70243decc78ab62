//! Whose turn it is at one host: first come, first served, so many at once, so many in a time.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{host_limits::HostLimits, rate_gate::RateGate};

/// A place in a queue; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// Whether a request may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Now: it has begun, and is out of the queue. The next in the queue has become its first, and must be woken.
    Go,
    /// As the first of the queue, at this time, unless it is put off until then.
    At(Instant),
    /// When it is woken.
    Later,
}

/// The requests to one host, and with each that waits how to wake it.
///
/// Only the first in the queue ever has to be woken: by whoever makes another the first, or makes room.
#[derive(Debug)]
pub(super) struct HostQueue<W> {
    most: usize,
    gate: Option<RateGate>,
    /// Nobody begins before this.
    closed_until: Option<Instant>,
    running: usize,
    waiting: BTreeMap<Ticket, W>,
    next: Ticket,
}

impl<W> HostQueue<W> {
    pub(super) fn new(limits: &HostLimits) -> Self {
        Self {
            most: limits.most_at_once(),
            gate: limits.rate_limit().map(RateGate::new),
            closed_until: None,
            running: 0,
            waiting: BTreeMap::new(),
            next: Ticket(0),
        }
    }

    /// A request comes last.
    pub(super) fn enter(&mut self, waker: W) -> Ticket {
        let ticket = self.next;
        self.next.0 += 1;
        self.waiting.insert(ticket, waker);
        ticket
    }

    /// A request that waits asks.
    pub(super) fn turn(&mut self, ticket: Ticket, now: Instant) -> Turn {
        let first = self.waiting.first_key_value();
        let is_first = first.is_some_and(|(first, _)| *first == ticket);
        if !is_first || self.running >= self.most {
            return Turn::Later;
        }
        let wait = self.closed(now).max(
            self.gate
                .as_ref()
                .map_or(Duration::ZERO, |gate| gate.wait(now)),
        );
        match now.checked_add(wait) {
            Some(at) if wait.is_zero() => {
                debug_assert_eq!(at, now);
                self.waiting.remove(&ticket);
                self.running += 1;
                if let Some(gate) = &mut self.gate {
                    gate.take(now);
                }
                Turn::Go
            }
            Some(at) => Turn::At(at),
            None => Turn::Later,
        }
    }

    /// A request that waits goes away. Whoever is first then must be woken.
    pub(super) fn give_up(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    /// A request is over. The first must be woken.
    pub(super) fn leave(&mut self) {
        self.running = self.running.checked_sub(1).expect("who leaves has begun");
    }

    /// Nobody begins before this time is over.
    pub(super) fn close_for(&mut self, time: Duration, now: Instant) {
        let until = now.checked_add(time);
        self.closed_until = self.closed_until.max(until);
    }

    /// How to wake the first of those that wait.
    pub(super) fn first(&self) -> Option<&W> {
        self.waiting.first_key_value().map(|(_, waker)| waker)
    }

    /// For how long it still matters what was; `None` while a request runs or waits.
    pub(super) fn matters_for(&self, now: Instant) -> Option<Duration> {
        let is_idle = self.running == 0 && self.waiting.is_empty();
        let ahead = self
            .gate
            .as_ref()
            .map_or(Duration::ZERO, |gate| gate.ahead(now));
        is_idle.then(|| self.closed(now).max(ahead))
    }

    fn closed(&self, now: Instant) -> Duration {
        self.closed_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}
