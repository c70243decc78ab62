//! What one worker holds, and what becomes of it when the worker is gone.
//!
//! Pure: no IO, no clock, no runtime.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use mt_proto::{DecodeError, ItemIndex, Records, Segment, WorkerId};

use super::{
    Look,
    attempt_history::{AttemptHistory, RetryItem},
    call_line::CallLimit,
    done::DoneItems,
    piece::{Waiting, items_of},
    prepared::KnownPrepared,
    running_clock::{Late, RunningClock},
    window::Window,
};
use crate::supervision::DeathCause;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SlotPhase {
    #[default]
    Starting,
    /// Takes items.
    Ready,
    /// Told to finish and go; killed if it has not by then.
    Leaving {
        until: Instant,
    },
    Dying,
}

#[derive(Debug, Default)]
pub(crate) struct WorkerSlot {
    pub(crate) phase: SlotPhase,
    pub(crate) window: Window,
    /// Whether what it holds is to run alone.
    pub(crate) alone: bool,
    /// The items it may still be given before it is recycled.
    pub(crate) quota: Option<u64>,
    /// Whether it has run items before it came here.
    pub(crate) used: bool,
    /// When its process was set up for the first time, if that was before.
    pub(crate) ready_at: Option<Instant>,
    pub(crate) fruitful: bool,
    /// Why the pool ends it, if it does.
    pub(crate) verdict: Option<DeathCause>,
    /// The items it is ended for, if it is because they have overrun.
    pub(crate) overrun: Option<Late>,
    /// The calls it is ended for, because they have overrun.
    pub(crate) overrun_calls: Vec<ItemIndex>,
    /// When its items were started, as far as that is watched.
    pub(crate) running: RunningClock,
    pub(crate) rss: u64,
    pub(crate) idle_since: Option<Instant>,
    /// When it was ready to work for this run.
    pub(crate) turn_began: Option<Instant>,
    /// When it is old enough to be replaced.
    pub(crate) tired_at: Option<Instant>,
    /// How much earlier than at its limits it is replaced, 0 to 1.
    pub(crate) early: f64,
    pub(crate) tired: bool,
    pub(crate) successor: Option<WorkerId>,
    /// Whether nothing more is given.
    pub(crate) resting: bool,
    /// Whether nothing more is given until no other run waits for a worker.
    pub(crate) yielding: bool,
    /// Whether it is at a call that takes long: nothing is to wait behind that.
    pub(crate) stuck: bool,
    /// The item from which on it starts none, of those it has.
    pub(crate) gate: Option<ItemIndex>,
    /// The prepared tasks that it knows.
    pub(super) prepared: KnownPrepared,
    held: VecDeque<Held>,
    in_hand: u32,
    /// The calls among them that share its thread.
    sharing: u32,
    held_bytes: usize,
    sent: u64,
}

/// What a dead worker leaves.
#[derive(Debug, Default)]
pub(crate) struct Salvage {
    /// Started, not finished; each with its place in the order they were sent.
    pub(crate) running: Vec<(u64, RetryItem)>,
    /// Not started, in order.
    pub(crate) unstarted: Vec<Waiting>,
    /// Not started, with a past that stays what it was.
    pub(crate) spared: Vec<RetryItem>,
}

/// A piece that was sent, until every item of it has its outcome.
#[derive(Debug)]
struct Held {
    run: Segment,
    /// Since when it had waited to be sent.
    since: Instant,
    /// Whether its calls share the thread with others.
    shares: bool,
    /// What its only item has been through; a piece of more has no past.
    past: Option<AttemptHistory>,
    /// The worker's count of items before this piece.
    start: u64,
    done: DoneItems,
}

impl WorkerSlot {
    pub(crate) fn new(window: Window, quota: Option<u64>) -> Self {
        Self {
            window,
            quota,
            ..Self::default()
        }
    }

    pub(crate) fn in_hand(&self) -> u32 {
        self.in_hand
    }

    /// The calls it has that share its thread.
    pub(crate) fn sharing(&self) -> u32 {
        self.sharing
    }

    /// The items that have its thread for themselves, while they run.
    pub(crate) fn plain_in_hand(&self) -> u32 {
        self.in_hand - self.sharing
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    pub(crate) fn pieces(&self) -> usize {
        self.held.len()
    }

    /// Whether what it still finishes counts.
    pub(crate) fn is_believed(&self) -> bool {
        let verdict = &self.verdict;
        !matches!(
            verdict,
            Some(DeathCause::BrokeProtocol(_) | DeathCause::Stopped)
        )
    }

    /// Whether the pool ends it and its end says nothing about the next worker's. One that is too large without
    /// having run anything says that the next will be.
    pub(crate) fn is_excused(&self) -> bool {
        self.verdict.as_ref().is_some_and(|cause| {
            !matches!(
                cause,
                DeathCause::BrokeProtocol(_) | DeathCause::MemoryExceeded { .. }
            )
        })
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.phase == SlotPhase::Ready && self.in_hand == 0
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.sent == 0 && !self.used
    }

    pub(crate) fn look(&mut self, now: Instant, look: Look) {
        let done = self.done();
        let open = |place| is_open(&self.held, place);
        self.running.look(now, look, done, open);
    }

    /// Which of its items have been running for `limit`, if any.
    pub(crate) fn late(&mut self, now: Instant, limit: Duration) -> Option<Late> {
        let done = self.done();
        let open = |place| is_open(&self.held, place);
        self.running.late(now, limit, done, open)
    }

    /// The calls among these that have been running for longer than each may, or keep the thread though nobody waits for
    /// them any more.
    pub(crate) fn late_calls(
        &mut self,
        now: Instant,
        limits: &BTreeMap<ItemIndex, CallLimit>,
    ) -> Vec<ItemIndex> {
        let held = self.held.iter().flat_map(|held| {
            let calls = limits.range(held.run.first..held.run.end());
            calls.map(|(&index, &limit)| {
                let place = held.start + (index.0 - held.run.first.0);
                (index, place, limit)
            })
        });
        let mut late: Vec<_> = held.collect();
        late.retain(|&(_, place, limit)| {
            let overruns = |late: Option<Late>| late.is_some_and(|late| late.contains(place));
            is_open(&self.held, place)
                && (limit.is_given_up(now) && self.running.has_thread(place)
                    || limit
                        .hard
                        .is_some_and(|hard| overruns(self.late(now, hard))))
        });
        late.into_iter().map(|(index, _, _)| index).collect()
    }

    /// How many of its items, in the order they were sent, are done without a gap.
    fn done(&self) -> u64 {
        let first = self.held.front();
        first.map_or(self.sent, |held| held.start + u64::from(held.done.prefix()))
    }

    pub(crate) fn room(&self) -> u32 {
        self.within_quota(self.window.room(self.plain_in_hand()))
    }

    /// The calls that it may be given that share its thread with others, of which it has so many at most.
    pub(crate) fn room_to_share(&self, most: u32) -> u32 {
        self.within_quota(most.saturating_sub(self.sharing))
    }

    fn within_quota(&self, room: u32) -> u32 {
        if self.alone || self.resting || self.yielding || self.stuck {
            return 0;
        }
        match self.quota {
            Some(quota) => room.min(u32::try_from(quota).unwrap_or(u32::MAX)),
            None => room,
        }
    }

    pub(crate) fn give(&mut self, waiting: Waiting, shares: bool, now: Instant) {
        self.hold(waiting, shares, None, now);
    }

    pub(crate) fn give_retry(&mut self, item: &RetryItem, shares: bool, now: Instant) -> Segment {
        let run = item.to_run();
        let waiting = Waiting {
            run: run.clone(),
            since: now,
        };
        self.hold(waiting, shares, Some(item.past), now);
        run
    }

    fn hold(
        &mut self,
        Waiting { run, since }: Waiting,
        shares: bool,
        past: Option<AttemptHistory>,
        now: Instant,
    ) {
        match shares {
            true => self.sharing += run.count,
            false if self.plain_in_hand() == 0 => self.window.on_busy(now),
            false => {}
        }
        self.idle_since = None;
        self.in_hand += run.count;
        self.held_bytes += run.weight();
        if let Some(quota) = &mut self.quota {
            *quota = quota.saturating_sub(u64::from(run.count));
        }
        let start = self.sent;
        self.sent += u64::from(run.count);
        self.held.push_back(Held {
            run,
            since,
            shares,
            past,
            start,
            done: DoneItems::default(),
        });
    }

    /// Since when it has been at a call, if that is not known to take long.
    pub(crate) fn stuck_since(&self) -> Option<Instant> {
        let works = self.phase == SlotPhase::Ready && self.plain_in_hand() > 0;
        self.window.since().filter(|_| works && !self.stuck)
    }

    /// The calls behind the one that has the thread.
    pub(crate) fn behind_first(&self) -> Vec<ItemIndex> {
        let plain = self.held.iter().filter(|held| !held.shares);
        let open = plain.flat_map(|held| {
            let offsets = (0..held.run.count).filter(|offset| !held.done.contains(*offset));
            offsets.map(|offset| held.run.first.plus(u64::from(offset)))
        });
        open.skip(1).collect()
    }

    /// An item that it holds, with what it has been through so far.
    pub(crate) fn item(&mut self, index: ItemIndex) -> Option<RetryItem> {
        let (held, offset, _) = self.part(index, index.plus(1)).ok()?;
        let past = held.past.unwrap_or_default();
        let item = items_of(held.run.clone()).nth(offset as usize)?;
        Some(RetryItem { past, ..item })
    }

    /// Whether this item is here and not done, behind others that come later in the input.
    pub(crate) fn has_behind_later(&self, index: ItemIndex) -> bool {
        let open = |held: &Held| {
            let within = held.run.first <= index && index < held.run.end();
            within && !held.done.contains((index.0 - held.run.first.0) as u32)
        };
        let at = self.held.iter().position(open).unwrap_or(0);
        self.held.iter().take(at).any(|held| index < held.run.end())
    }

    /// Takes note of results. A worker reports in runs of its own, which may span pieces. Returns how many there are of items
    /// that had the thread for themselves.
    ///
    /// # Errors
    /// When any of these items is not held or has its outcome already; nothing was noted then.
    pub(crate) fn finish(&mut self, run: &Segment) -> Result<u32, DecodeError> {
        let mut first = run.first;
        while first < run.end() {
            let (_, _, count) = self.part(first, run.end())?;
            first = first.plus(u64::from(count));
        }
        first = run.first;
        let (mut sharing, mut pieces_done) = (0, 0);
        while first < run.end() {
            let (held, offset, count) = self.part(first, run.end())?;
            held.done.mark(offset, count);
            sharing += if held.shares { count } else { 0 };
            pieces_done += u32::from(held.is_done());
            first = first.plus(u64::from(count));
        }
        self.sharing -= sharing;
        self.in_hand -= run.count;
        self.fruitful = true;
        // Later pieces can be done before earlier ones; they must not count against the bound.
        while pieces_done > 0
            && let Some(held) = self.held.pop_front_if(|held| held.is_done())
        {
            self.held_bytes -= held.run.weight();
            pieces_done -= 1;
        }
        let held_bytes = &mut self.held_bytes;
        if pieces_done > 0 {
            self.held.retain(|held| {
                let done = held.is_done();
                *held_bytes -= if done { held.run.weight() } else { 0 };
                !done
            });
        }
        Ok(run.count - sharing)
    }

    /// The piece that has item `first` open, its offset there, and how many up to `end` go on in it. An
    /// item that is tried again may be in an older piece too, where it is done.
    fn part(
        &mut self,
        first: ItemIndex,
        end: ItemIndex,
    ) -> Result<(&mut Held, u32, u32), DecodeError> {
        let mut done = false;
        let open = |held: &&mut Held| {
            let within = held.run.first <= first && first < held.run.end();
            let open = within && !held.done.contains((first.0 - held.run.first.0) as u32);
            done |= within;
            open
        };
        let Some(held) = self.held.iter_mut().find(open) else {
            return Err(DecodeError::Malformed(match done {
                true => "results for items that have theirs already",
                false => "results for items the worker does not have",
            }));
        };
        let offset = (first.0 - held.run.first.0) as u32;
        let most = (end.min(held.run.end()).0 - first.0) as u32;
        let count = held.done.open_from(offset, most);
        Ok((held, offset, count))
    }

    /// Splits what is left after a death into what had been started and what had not.
    pub(crate) fn salvage(&mut self, started: u64) -> Salvage {
        let mut salvage = Salvage::default();
        for held in self.held.drain(..) {
            held.salvage(started, &mut salvage);
        }
        (self.in_hand, self.sharing, self.held_bytes) = (0, 0, 0);
        salvage
    }
}

/// Whether the item at this place, in the order they were sent, is here and not done.
fn is_open(held: &VecDeque<Held>, place: u64) -> bool {
    let after = held.partition_point(|held| held.start <= place);
    let piece = after.checked_sub(1).and_then(|at| held.get(at));
    piece.is_some_and(|piece| {
        let offset = place - piece.start;
        offset < u64::from(piece.run.count) && !piece.done.contains(offset as u32)
    })
}

impl Held {
    fn is_done(&self) -> bool {
        self.done.count() == self.run.count
    }

    fn salvage(self, started: u64, salvage: &mut Salvage) {
        let count = u64::from(self.run.count);
        let started = started.saturating_sub(self.start).min(count) as u32;
        let past = self.past.unwrap_or_default();
        let items = items_of(self.run.clone());
        let mut items = (0..).zip(items.map(|item| RetryItem { past, ..item }));
        for (offset, item) in items.by_ref().take(started as usize) {
            if !self.done.contains(offset) {
                salvage.running.push((self.start + u64::from(offset), item));
            }
        }
        match self.past {
            Some(_) => salvage.spared.extend(items.map(|(_, item)| item)),
            None => self.untouched(started, salvage),
        }
    }

    /// What was not started is not done either, so it is one run; what a mad worker claims to have done
    /// ahead of its own count splits it.
    fn untouched(&self, started: u32, salvage: &mut Salvage) {
        let mut records = Records::new(self.run.records.clone());
        let mut take = |count| {
            let records = records.split_front(count);
            records.expect("a piece was counted when it came in")
        };
        take(started);
        let mut offset = started;
        while offset < self.run.count {
            let rest = offset..self.run.count;
            let count = rest.take_while(|&o| !self.done.contains(o)).count() as u32;
            let records = take(count.max(1));
            if count > 0 {
                let first = self.run.first.plus(u64::from(offset));
                let run = Segment {
                    first,
                    count,
                    records,
                    attachments: self.run.attachments.clone(),
                };
                let since = self.since;
                salvage.unstarted.push(Waiting { run, since });
            }
            offset += count.max(1);
        }
    }
}
