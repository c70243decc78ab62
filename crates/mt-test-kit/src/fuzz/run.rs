//! One run of a target: threads that change inputs and play them, and one that sees whether they do.

use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Trail, mutate::mutate};
use crate::Dice;

/// How long one input may take before it counts as endless; at most twice that.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most inputs that are kept.
const MOST_KEPT: usize = 1 << 14;
/// How often a thread looks at the clock, and at what others have found: once in so many executions.
const ROUND: u64 = 64;

pub(super) type Target<'a> = dyn Fn(&[u8], &mut Trail) -> bool + Sync + 'a;

pub(super) struct Run {
    /// The inputs to start with.
    start: Vec<Vec<u8>>,
    seed: u64,
    /// When it is over; `None` after so many executions.
    end: Option<Instant>,
    most: u64,
    found: Mutex<Found>,
    executions: AtomicU64,
    is_over: AtomicBool,
}

#[derive(Default)]
struct Found {
    notes: HashSet<u64>,
    /// The inputs that have shown something new.
    kept: Vec<Vec<u8>>,
    failed: Option<Vec<u8>>,
}

/// What a thread has seen itself: most of what comes is nothing new, and needs no lock.
#[derive(Default)]
struct Seen {
    trail: Trail,
    known: HashSet<u64>,
}

/// What a thread plays just now, and how many it has played.
#[derive(Default)]
struct Current(Mutex<(u64, Vec<u8>)>);

impl Run {
    pub(super) fn new(start: Vec<Vec<u8>>, seed: u64, time: Option<Duration>, most: u64) -> Self {
        Self {
            start,
            seed,
            end: time.map(|time| Instant::now() + time),
            most,
            found: Mutex::default(),
            executions: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Plays the inputs to start with and then changes of what is kept, until the time is over. Returns an input that the
    /// target has failed on.
    pub(super) fn play(
        &self,
        target: &Target<'_>,
        hangs: &(dyn Fn(&[u8]) + Sync),
    ) -> Option<Vec<u8>> {
        let threads = match self.end {
            Some(_) => thread::available_parallelism().map_or(1, usize::from),
            None => 1,
        };
        let currents: Vec<Current> = (0..threads).map(|_| Current::default()).collect();
        let currents = &currents;
        let (alive, gone) = channel::<()>();
        thread::scope(|scope| {
            for (number, current) in currents.iter().enumerate() {
                let alive = alive.clone();
                scope.spawn(move || {
                    self.work(number as u64, target, current);
                    drop(alive);
                });
            }
            drop(alive);
            scope.spawn(move || watch(currents, &gone, hangs));
        });
        self.found().failed.take()
    }

    fn work(&self, number: u64, target: &Target<'_>, current: &Current) {
        let mut dice = Dice::seeded(self.seed.wrapping_add(number << 32));
        let (mut pool, mut seen) = (Vec::new(), Seen::default());
        for input in &self.start {
            self.try_one(input, target, current, &mut seen);
        }
        while !self.is_over.load(Relaxed) {
            for _ in 0..ROUND {
                let mut input = dice.pick_of(&pool);
                let other = dice.pick_of(&pool);
                mutate(&mut input, &other, &mut dice);
                self.try_one(&input, target, current, &mut seen);
            }
            let found = self.found();
            pool.extend_from_slice(&found.kept[pool.len()..]);
            let done = self.executions.fetch_add(ROUND, Relaxed) + ROUND;
            let is_late = self
                .end
                .map_or(done >= self.most, |end| Instant::now() >= end);
            if is_late || found.failed.is_some() {
                self.is_over.store(true, Relaxed);
            }
        }
    }

    fn try_one(&self, input: &[u8], target: &Target<'_>, current: &Current, seen: &mut Seen) {
        current.set(input);
        seen.trail.clear();
        if !target(input, &mut seen.trail) {
            self.found().failed.get_or_insert_with(|| input.to_vec());
            self.is_over.store(true, Relaxed);
            return;
        }
        let notes = seen.trail.notes();
        if notes.iter().all(|note| seen.known.contains(note)) {
            return;
        }
        seen.known.extend(notes);
        let mut found = self.found();
        let before = found.notes.len();
        found.notes.extend(notes);
        if found.notes.len() > before && found.kept.len() < MOST_KEPT {
            found.kept.push(input.to_vec());
        }
    }

    pub(super) fn executions(&self) -> u64 {
        self.executions.load(Relaxed)
    }

    pub(super) fn kept(&self) -> Vec<Vec<u8>> {
        self.found().kept.clone()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap()
    }
}

impl Current {
    fn set(&self, input: &[u8]) {
        let mut current = self.0.lock().unwrap();
        current.0 += 1;
        current.1.clear();
        current.1.extend_from_slice(input);
    }
}

/// Looks whether all go on, until all are gone.
fn watch(currents: &[Current], gone: &Receiver<()>, hangs: &dyn Fn(&[u8])) {
    let mut before: Vec<u64> = vec![0; currents.len()];
    while gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        for (current, before) in currents.iter().zip(&mut before) {
            let (count, input) = &*current.0.lock().unwrap();
            if std::mem::replace(before, *count) == *count {
                hangs(input);
            }
        }
    }
}
