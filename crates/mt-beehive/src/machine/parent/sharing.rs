//! Tasks that wait for the thread of one child while another has none to do.
//!
//! Pure: no IO, no clock, no runtime.
//!
//! A child that is behind is given nothing more. When nothing waits here, and another child has room, it is asked for
//! half of what it has not begun; so what waits behind one that is held for long moves in a few steps to the others,
//! and what waits behind one that only has much to do is shared. A task moves only when the child has said that it was
//! not begun and never will be: it is done once, and its attempts are what they were.

use mt_proto::ToBee;

use super::{BeeId, ParentMachine, bee_slot::BeeSlot, bee_slot::Phase};

impl ParentMachine {
    /// Tasks wait for a child's thread. What it was asked about goes on without it.
    pub(super) fn on_behind(&mut self, child: BeeId, waiting: u32) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.behind = Some(waiting);
            if bee.phase == Phase::Ready {
                self.release_offers(child);
            }
        }
    }

    /// No task waits for a child's thread any more.
    pub(super) fn on_caught_up(&mut self, child: BeeId) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.declines = false;
            bee.behind = None;
        }
    }

    /// A child has given back what it was asked for.
    pub(super) fn on_gave_back(&mut self, child: BeeId, waiting: u32) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.gives_back = false;
            bee.on_answer(self.now);
            if let Some(behind) = &mut bee.behind {
                *behind = waiting;
            }
        }
    }

    /// Asks the child that is furthest behind for tasks, if others have room for them and nothing else to do there.
    pub(super) fn share(&mut self) {
        if self.pending.len() > self.ghosts || self.interrupted {
            return;
        }
        let furthest = self.bees.iter().filter_map(|(&child, bee)| {
            let waiting = bee.waiting_behind()?;
            Some((waiting, child))
        });
        let Some((waiting, child)) = furthest.max() else {
            return;
        };
        let rooms = self.bees.values().map(BeeSlot::room);
        let room = rooms.fold(0, u32::saturating_add);
        let most = waiting.div_ceil(2).min(room);
        if most > 0 {
            self.ask_back(child, most);
        }
    }

    /// Asks a child for so many of the tasks that it has not begun: with 0, whether it hears.
    pub(super) fn ask_back(&mut self, child: BeeId, most: u32) {
        if let Some(bee) = self.bees.get_mut(&child) {
            bee.on_question(self.now);
            bee.gives_back = true;
            self.say(child, ToBee::GiveBack { most });
        }
    }
}

impl BeeSlot {
    /// How many tasks it has room for, one that any may be given to.
    fn room(&self) -> u32 {
        if !self.has_room_for(None) {
            return 0;
        }
        let taken = u32::try_from(self.owned + self.asked).unwrap_or(u32::MAX);
        self.most
            .map_or(u32::MAX, |most| most.saturating_sub(taken))
    }

    /// How many tasks it could be asked to give back, if it can be asked.
    fn waiting_behind(&self) -> Option<u32> {
        let is_there = matches!(self.phase, Phase::Ready | Phase::Dying { .. });
        let asked = self.gives_back || self.silent || self.buries();
        self.behind
            .filter(|&waiting| waiting > 0 && is_there && !asked)
    }
}
