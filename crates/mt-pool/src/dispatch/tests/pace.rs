//! Plain functions in virtual time: how many messages they cost, and how many items wait behind a slow one.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use mt_proto::WorkerId;

use super::{
    super::{Dispatch, DispatchConfig, Effect, Event},
    model::{A, B, config},
    payload::items,
};

/// How long a message takes to get there and be seen.
const LINK: Duration = Duration::from_micros(30);
/// How long the outcomes of quick calls are gathered.
const GATHER: Duration = Duration::from_millis(8);
/// More items than a worker may hold.
const AHEAD: u64 = 10_000;

/// A worker that does one item after the other.
#[derive(Default)]
struct Worker {
    /// What it was sent, and when that is there.
    inbox: VecDeque<(Instant, u64)>,
    /// When it is done with what it does.
    free: Option<Instant>,
    /// Since when outcomes gather.
    gathers: Option<Instant>,
    done: Vec<u64>,
}

/// A run over items that take so long each.
struct Pace<S> {
    dispatch: Dispatch,
    service: S,
    /// How long outcomes are gathered: without, each comes by itself.
    gather: Duration,
    now: Instant,
    workers: BTreeMap<WorkerId, Worker>,
    /// Reports on their way.
    reports: VecDeque<(Instant, WorkerId, Vec<u64>)>,
    fed: u64,
    given_out: u64,
    messages: u64,
    /// The most items that waited behind one that took longer than a second.
    hoarded: usize,
}

impl<S: Fn(u64) -> Duration> Pace<S> {
    fn new(service: S) -> Self {
        let config = DispatchConfig {
            ordered: false,
            in_order: true,
            window_cap: 8192,
            max_pieces: 1024,
            ..config()
        };
        Self {
            dispatch: Dispatch::new(config),
            service,
            gather: GATHER,
            now: Instant::now(),
            workers: BTreeMap::new(),
            reports: VecDeque::new(),
            fed: 0,
            given_out: 0,
            messages: 0,
            hoarded: 0,
        }
    }

    /// Runs to the end and returns how long it took.
    fn run(&mut self, count: u64) -> Duration {
        let start = self.now;
        self.feed(count);
        for worker in [A, B] {
            self.tell(Event::Ready(worker));
        }
        while self.given_out < count {
            self.feed(count);
            let next = self
                .workers
                .iter()
                .filter_map(|(&id, worker)| Some((worker.next()?, id)));
            let step = next.min();
            match self.reports.front().map(|report| report.0) {
                Some(at) if step.is_none_or(|(start, _)| at <= start) => self.hear(at),
                _ => self.step(step.expect("somebody has something to do")),
            }
        }
        self.now - start
    }

    fn feed(&mut self, count: u64) {
        while self.fed < count && self.fed < self.given_out + 2 * AHEAD {
            let some = (count - self.fed).min(1000) as u32;
            let input = Event::Input(items(self.fed, some));
            self.fed += u64::from(some);
            self.tell(input);
            if self.fed == count {
                self.tell(Event::InputEnded);
            }
        }
    }

    fn hear(&mut self, at: Instant) {
        self.now = self.now.max(at);
        let Some((_, worker, done)) = self.reports.pop_front() else {
            return;
        };
        for run in done.chunk_by(|one, next| one + 1 == *next) {
            self.tell(Event::Results(worker, items(run[0], run.len() as u32)));
        }
    }

    /// A worker does its next item, and says what it has done if that is due.
    fn step(&mut self, (start, id): (Instant, WorkerId)) {
        let worker = self.workers.get_mut(&id).expect("there is one");
        let Some((_, item)) = worker.inbox.pop_front() else {
            return;
        };
        let took = (self.service)(item);
        if took >= Duration::from_secs(1) {
            self.hoarded = self.hoarded.max(worker.inbox.len());
        }
        let end = start + took;
        worker.free = Some(end);
        worker.done.push(item);
        let since = *worker.gathers.get_or_insert(start);
        let is_dry = worker.inbox.front().is_none_or(|&(there, _)| there > end);
        if is_dry || end - since >= self.gather {
            worker.gathers = None;
            let done = std::mem::take(&mut worker.done);
            let at = self
                .reports
                .partition_point(|report| report.0 <= end + LINK);
            self.reports.insert(at, (end + LINK, id, done));
        }
    }

    fn tell(&mut self, event: Event) {
        self.dispatch.handle(self.now, event);
        while let Some(effect) = self.dispatch.poll_effect() {
            match effect {
                Effect::Spawn(id) => drop(self.workers.insert(id, Worker::default())),
                Effect::Send(id, run, _) => {
                    self.messages += 1;
                    let there = self.now + LINK;
                    let worker = self.workers.get_mut(&id).expect("it was started");
                    let sent = (run.first.0..run.end().0).map(|item| (there, item));
                    worker.inbox.extend(sent);
                }
                Effect::Deliver(delivery) => self.given_out += u64::from(delivery.count()),
                // There is nothing left for it.
                Effect::Release(_) | Effect::Finished => {}
                other => panic!("nobody asked for {other:?}"),
            }
        }
    }
}

impl Worker {
    /// When it begins its next item.
    fn next(&self) -> Option<Instant> {
        let &(there, _) = self.inbox.front()?;
        Some(self.free.map_or(there, |free| free.max(there)))
    }
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// The window stuck at two, at random: each item was a message.
///
/// Case 40: Quick items cost next to no messages, and are done as fast as they can be.
#[test]
fn quick_items_travel_together() {
    const COUNT: u32 = 100_000;
    for (service, gather) in [
        (1, GATHER),
        (10, GATHER),
        (1, Duration::ZERO),
        (10, Duration::ZERO),
    ] {
        let mut pace = Pace::new(|_| micros(service));
        pace.gather = gather;
        let took = pace.run(COUNT.into());
        let ideal = micros(service) * COUNT / 2;
        assert!(
            took < ideal * 5 / 4,
            "{service} µs: {took:?}, not {ideal:?}"
        );
        let most = u64::from(COUNT) * service / 500 + 200;
        assert!(
            pace.messages < most,
            "{service} µs: {} messages",
            pace.messages
        );
    }
}

/// What a worker has done since its last report is not known, so equal shares are none: one of two workers had nothing to
/// do for the last four milliseconds.
///
/// Case 40: Workers come to the end together.
#[test]
fn the_last_items_are_shared() {
    for count in (900..1100).step_by(10) {
        let took = Pace::new(|_| micros(1000)).run(count);
        let ideal = micros(1000) * count as u32 / 2;
        assert!(took < ideal + micros(2000), "{took:?}, not {ideal:?}");
    }
}

/// Case 40: Items that take long are not sent ahead.
#[test]
fn slow_items_are_not_hoarded() {
    let mut pace = Pace::new(|_| Duration::from_secs(10));
    pace.run(50);
    assert_eq!(pace.hoarded, 1, "the next one");
}

/// Hundreds of items of one kind, then of another, from a microsecond to ten seconds.
///
/// Case 40: Whatever items took before, no more wait behind a slow one than were some milliseconds' work.
#[test]
fn a_window_follows_items_that_change() {
    let kinds = [
        1, 10_000_000, 100, 1, 10_000, 10_000_000, 10, 1000, 10_000_000, 1,
    ];
    let block = 500;
    let kind = |item: u64| micros(kinds[(item / block) as usize % kinds.len()]);
    let mut pace = Pace::new(kind);
    let count = block * kinds.len() as u64;
    let work: Duration = (0..count).map(kind).sum();
    let took = pace.run(count);
    assert!(
        took < work * 11 / 20,
        "{took:?} of {work:?} with two workers"
    );
}

/// One in a hundred takes ten milliseconds: what waits behind it is no more than it takes to do in some of those.
///
/// Case 40: Few items wait behind a slow one among quick ones.
#[test]
fn mixed_items_are_not_hoarded() {
    let mixed = |item: u64| micros(if item % 100 == 99 { 10_000 } else { 10 });
    let mut pace = Pace::new(mixed);
    let took = pace.run(20_000);
    let work: Duration = (0..20_000).map(mixed).sum();
    assert!(
        took < work * 11 / 20,
        "{took:?} of {work:?} with two workers"
    );
}
