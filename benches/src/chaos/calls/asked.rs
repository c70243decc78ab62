//! What a call is to be: by its number, and the same for the same seed.

use std::time::Duration;

use mt_pool::{Call, Pool, Task};
use mt_test_kit::Folder;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    super::{job::Job, plan::Plan},
    deed::{Deed, Hold, Order},
};
use crate::tasks::mix;

/// One call in so many never ends by itself.
const HOLDS: u32 = 400;
/// The longest that a call sleeps.
const SLEEP_MICROS: u64 = 1_500;
/// The longest until a call is given up, by time.
const SOON: Duration = Duration::from_millis(5);
/// The callers that calls are made for, beside the clones of the pool.
const NAMED_CALLERS: u64 = 8;

/// One call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) n: u64,
    pub(super) deed: Deed,
    pub(super) is_plain: bool,
    pub(super) fate: Fate,
    pub(super) way: Way,
    pub(super) deadline: Option<Duration>,
    pub(super) queue_deadline: Option<Duration>,
    priority: i8,
    caller: Option<u64>,
    pub(super) retries: u32,
}

/// What becomes of whoever waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Waits for the outcome.
    Waits,
    /// Drops the call's future.
    Drops(When),
    /// Cancels the call by its handle, and waits for the outcome.
    Cancels(When),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    After(Duration),
    /// Once the call was begun, or after a while.
    Begun,
}

/// By which methods it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Plainly,
    Spawned,
    /// If there is room for it.
    Tried,
}

impl Asked {
    /// The call number `n`.
    pub(super) fn of(plan: &Plan, n: u64) -> Self {
        let mut random = StdRng::seed_from_u64(mix(n ^ plan.seed.rotate_left(32)));
        let is_plain = random.random();
        let deed = match plan.job(n).fault {
            Some(fault) => Deed::Fault(fault),
            None => some_deed(is_plain, &mut random),
        };
        let is_held = matches!(deed, Deed::Hold(_));
        let fate = some_fate(is_held, &mut random);
        let may = |share, random: &mut StdRng| {
            let time = Duration::from_micros(random.random_range(1_000..50_000));
            random.random_bool(share).then_some(time)
        };
        let deadline = may(0.1, &mut random);
        let must_end = is_held && fate == Fate::Waits;
        Self {
            n,
            deed,
            is_plain,
            fate,
            way: [Way::Plainly, Way::Plainly, Way::Spawned, Way::Tried][random.random_range(0..4)],
            deadline: deadline.or(must_end.then_some(SOON)),
            queue_deadline: may(0.1, &mut random),
            priority: random.random_range(-2..=2),
            caller: random
                .random_bool(0.3)
                .then(|| random.random_range(0..NAMED_CALLERS)),
            retries: u32::from(random.random_bool(0.3)),
        }
    }

    /// The call, described.
    pub(super) fn describe<T>(&self, pool: &Pool, notes: &Folder) -> Call<T>
    where
        T: Task<Input = Order, Error = u64>,
    {
        let order = Order {
            n: self.n,
            deed: self.deed,
            notes: notes.clone(),
        };
        let mut call = pool.call::<T>(order).priority(self.priority);
        if let Some(limit) = self.deadline {
            call = call.deadline(limit);
        }
        if let Some(limit) = self.queue_deadline {
            call = call.queue_deadline(limit);
        }
        if let Some(caller) = self.caller {
            call = call.caller(caller);
        }
        call.retries(self.retries)
    }

    /// What it is in a run.
    pub(super) fn job(&self) -> Job {
        let n = self.n;
        match self.deed {
            Deed::Fault(fault) => Job {
                n,
                fault: Some(fault),
            },
            _ => Job { n, fault: None },
        }
    }
}

fn some_deed(is_plain: bool, random: &mut StdRng) -> Deed {
    if random.random_range(0..HOLDS) == 0 {
        let hold = match (is_plain, random.random_range(0..3)) {
            (true, 0) => Hold::Spin,
            (true, _) | (false, 0) => Hold::Block,
            (false, _) => Hold::Pend,
        };
        return Deed::Hold(hold);
    }
    match random.random_range(0..100) {
        0 => Deed::Refuse,
        1..60 => Deed::Sleep {
            micros: random.random_range(0..SLEEP_MICROS),
        },
        _ => Deed::Return,
    }
}

fn some_fate(is_held: bool, random: &mut StdRng) -> Fate {
    let when = match is_held && random.random() {
        true => When::Begun,
        false => When::After(SOON.mul_f64(random.random())),
    };
    let others = if is_held { 4 } else { 20 };
    match random.random_range(0..others) {
        0 => Fate::Drops(when),
        1 => Fate::Cancels(when),
        2 if is_held => Fate::Cancels(When::Begun),
        _ => Fate::Waits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::calls::tests::PLAN;

    #[test]
    fn calls_are_of_every_kind_and_none_waits_for_ever() {
        let all: Vec<Asked> = (0..10_000).map(|n| Asked::of(&PLAN, n)).collect();
        let count = |is_one: fn(&Asked) -> bool| all.iter().filter(|asked| is_one(asked)).count();
        let is_held = |asked: &Asked| matches!(asked.deed, Deed::Hold(_));
        assert!(count(|asked| matches!(asked.deed, Deed::Hold(Hold::Pend))) > 2);
        assert!(count(|asked| asked.is_plain) > 4_000);
        assert!(count(|asked| matches!(asked.fate, Fate::Drops(_))) > 300);
        assert!(count(|asked| matches!(asked.fate, Fate::Cancels(_))) > 300);
        assert!(count(|asked| asked.deadline.is_some() && asked.queue_deadline.is_some()) > 50);
        assert_eq!(
            count(|asked| matches!(asked.deed, Deed::Fault(_))),
            PLAN.faults as usize
        );
        let mut waiting = all.iter().filter(|asked| is_held(asked));
        assert!(waiting.all(|asked| asked.fate != Fate::Waits || asked.deadline.is_some()));
    }

    #[test]
    fn the_same_call_is_the_same_again() {
        let shown = |n| format!("{:?}", Asked::of(&PLAN, n));
        assert_eq!(shown(77), shown(77));
        assert_ne!(shown(77).replace("77", ""), shown(78).replace("78", ""));
    }
}
