//! Random runs: anything may happen for a while, then all behave, and the run must end.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

use mt_ipc::Turn;
use mt_proto::WorkerId;
use mt_test_kit::Dice;

use super::{
    super::{DispatchConfig, Event, Look, Terms},
    model::{Model, config},
    payload::items,
    worker::ModelWorker,
};
use crate::{
    fair_line::{Caller, Rank},
    limits::{MemoryLimits, Recycle, Retries},
    supervision::RestartBudget,
};

const RUNS: u64 = 10_000;

struct Player<'a> {
    dice: Dice<'a>,
    model: Model,
    /// How likely deaths, drains and illegal results are: one in so many steps.
    rarity: u64,
    /// Every so manieth item kills its worker.
    poison: u64,
}

/// Case R6: Every item has exactly one outcome, whatever happens.
#[test]
fn every_item_comes_out_once_whatever_happens() {
    let mut ends = BTreeMap::new();
    for seed in 0..RUNS {
        match catch_unwind(AssertUnwindSafe(|| play(Dice::seeded(seed)))) {
            Ok(model) => {
                for (_, end) in model.out {
                    *ends.entry(end).or_insert(0) += 1;
                }
            }
            Err(panic) => {
                eprintln!("random run with seed {seed} failed");
                resume_unwind(panic);
            }
        }
    }
    let kinds: Vec<_> = ends.keys().copied().collect();
    let all = "cancelled crashed done memory outcome lost pool refused timed out waited";
    assert_eq!(kinds.join(" "), all, "all were hit");
}

fn random_config(dice: &mut Dice<'_>) -> DispatchConfig {
    let floor = 1 + dice.below(4) as u32;
    DispatchConfig {
        in_order: dice.one_in(2),
        processes: 1 + dice.below(4) as u32,
        ordered: dice.one_in(2),
        window_floor: floor,
        window_cap: floor + dice.below(40) as u32,
        max_pieces: 1 + dice.below(8) as u32,
        crash_limit: 1 + dice.below(4) as u32,
        restarts: RestartBudget {
            limit: dice.below(10) as u32,
            period: Duration::from_secs(10),
        },
        shared: dice.one_in(2),
        min_processes: u32::from(dice.one_in(3)),
        queue_deadline: dice.one_in(4).then_some(Duration::from_millis(500)),
        hard_deadline: dice.one_in(2).then_some(Duration::from_millis(200)),
        close_deadline: None,
        memory: MemoryLimits {
            max_rss_bytes: dice.one_in(2).then_some(900),
            oom_retries: dice.below(3) as u32,
            budget_bytes: dice.one_in(3).then_some(1500),
            ..MemoryLimits::new()
        },
        retries: Retries::new(dice.below(3) as u32),
        recycle: Recycle {
            items: dice.one_in(3).then(|| 1 + dice.roll() % 7),
            age: dice.one_in(3).then_some(Duration::from_millis(300)),
            rss_bytes: dice.one_in(3).then_some(600),
            idle: dice.one_in(3).then_some(Duration::from_millis(100)),
            batches: None,
            jitter: 0.5,
            at_once: 1 + dice.below(2) as u32,
        },
        buffer_bytes: dice.one_of(&[1, 30, 100, usize::MAX]),
        keep_items: dice.one_in(3),
        seed: dice.roll(),
        ..config()
    }
}

fn random_terms(dice: &mut Dice<'_>, config: &DispatchConfig) -> Terms {
    Terms {
        queue: dice.one_in(5).then_some(Duration::from_millis(500)),
        hard: None,
        shares: dice.one_in(2),
        rank: Rank {
            priority: dice.below(3) as i8,
            caller: Caller::Named(dice.below(4)),
        },
        retries: config.retries.clone(),
        prepared: None,
    }
}

pub(super) fn play(mut dice: Dice<'_>) -> Model {
    let mut config = random_config(&mut dice);
    if dice.one_in(3) {
        // A run of calls.
        config = DispatchConfig {
            takes_all: true,
            most_shared: dice.below(5) as u32 + 1,
            ordered: false,
            in_order: false,
            queue_deadline: None,
            hard_deadline: None,
            ..config
        };
    }
    let mut player = Player {
        rarity: dice.one_of(&[3, 10, 30, 1000]),
        poison: dice.one_of(&[3, 17, u64::MAX]),
        dice,
        model: Model::new(config),
    };
    let steps = player.dice.below(120);
    for _ in 0..steps {
        if player.model.finished {
            return player.model;
        }
        player.anything();
    }
    player.heal();
    player.model
}

impl Player<'_> {
    fn anything(&mut self) {
        let (model, dice) = (&mut self.model, &mut self.dice);
        match dice.below(16) {
            0 | 1 if !model.input_ended && !model.stopped && model.config.takes_all => {
                for _ in 0..=dice.below(12) {
                    let terms = random_terms(dice, &model.config);
                    model.call(terms);
                }
            }
            0 | 1 if !model.input_ended && !model.stopped => match dice.one_in(10) {
                true => model.refuse(),
                false => model.input(1 + dice.below(12) as u32),
            },
            2 if dice.one_in(10) && !model.input_ended => model.end_input(),
            2 | 3 if model.config.takes_all && model.taken_in > 0 => {
                let call = dice.below(model.taken_in);
                model.withdraw(call);
            }
            3 if dice.one_in(3) => model.pause(!model.paused),
            4 => model.pass(Duration::from_millis(dice.one_of(&[0, 1, 50, 6000]))),
            5 if dice.one_in(self.rarity * 20) => model.drain(),
            6 if dice.one_in(self.rarity * 40) => {
                model.stopped = true;
                model.tell(Event::Stop);
            }
            9 if dice.one_in(self.rarity * 40) && !model.stopped => {
                model.cancelled = true;
                model.tell(Event::Cancel);
            }
            10 | 11 => self.look(),
            12 => self.weigh(),
            13 => self.fail(),
            15 if model.config.shared => {
                let wanted = dice.one_in(2);
                model.tell(Event::Wanted(wanted));
            }
            14 => {
                let time = Duration::from_millis(dice.one_of(&[101, 500, 6000]));
                model.now += time;
                model.tell(Event::Late(time));
                if !model.finished {
                    model.pass(Duration::ZERO);
                }
            }
            7 if dice.one_in(self.rarity) => self.die(),
            8 if dice.one_in(self.rarity * 2) => self.lie(),
            _ => self.work(),
        }
    }

    fn any_worker(&mut self) -> Option<WorkerId> {
        let all: Vec<WorkerId> = self.model.workers.keys().copied().collect();
        (!all.is_empty()).then(|| self.dice.one_of(&all))
    }

    fn die(&mut self) {
        if let Some(worker) = self.any_worker() {
            self.model.gone(worker);
        }
    }

    /// Some worker does what it has to do next.
    fn work(&mut self) {
        let Some(id) = self.any_worker() else { return };
        let model = &self.model.workers[&id];
        if model.killed.is_some() || model.retired {
            return self.model.gone(id);
        }
        if !model.ready {
            return self.model.ready(id);
        }
        let has_done = !model.running.is_empty() || !model.unsent.is_empty();
        if !has_done || self.dice.one_in(3) {
            let count = 1 + self.dice.below(5);
            for _ in 0..count {
                let started = self.model.start_one(id);
                if started.is_some_and(|item| item % self.poison == self.poison - 1) {
                    return self.model.gone(id);
                }
            }
            return;
        }
        let running: Vec<u64> = model.running.union(&model.unsent).copied().collect();
        let in_order = self.model.config.in_order;
        let oldest = running
            .iter()
            .copied()
            .min_by_key(|&item| model.place(item));
        let first = match oldest {
            Some(oldest) if in_order => oldest,
            _ => self.dice.one_of(&running),
        };
        let most = if in_order { 1 } else { 1 + self.dice.below(5) };
        let next = first..first + most;
        let count = next.take_while(|item| running.contains(item)).count();
        self.model.finish(id, first, count as u32);
    }

    /// Some worker tells results that are not due, and is killed for it.
    fn lie(&mut self) {
        let Some(id) = self.any_worker() else { return };
        let model = &self.model.workers[&id];
        if model.killed.is_some() {
            return;
        }
        // What it holds, has finished or is not there at all, and its neighbours.
        let mut near: Vec<u64> = model.running.iter().copied().collect();
        near.extend(model.finished.iter().chain(&model.unstarted));
        near.extend([0, u64::MAX / 2]);
        let first = self.dice.one_of(&near).saturating_sub(self.dice.below(2));
        let count = 1 + self.dice.below(5);
        // What it has finished may have come back to be tried again.
        if (first..first + count).all(|item| model.holds(item)) {
            return;
        }
        let out = self.model.out.len();
        let lie = items(first, count as u32);
        self.model.tell(Event::Results(id, lie));
        assert!(
            self.model.workers[&id].killed.is_some(),
            "what lies is killed"
        );
        assert_eq!(self.model.out.len(), out, "and not believed");
    }

    fn look(&mut self) {
        let Some(id) = self.any_worker() else { return };
        let worker = &self.model.workers[&id];
        let running: Vec<u64> = worker.running.iter().copied().collect();
        let in_order = self.model.config.in_order;
        let holder = (!in_order && self.dice.one_in(2) && !running.is_empty())
            .then(|| self.dice.one_of(&running));
        let turn = |item| Turn {
            place: worker.place(item).expect("it runs here"),
            number: self.dice.below(2),
        };
        let look = Look {
            started: worker.started,
            finished: worker.started - running.len() as u64,
            in_order,
            turn: holder.map(turn),
        };
        self.model.tell(Event::Look(id, look));
    }

    fn weigh(&mut self) {
        let ids: Vec<WorkerId> = self.model.workers.keys().copied().collect();
        let weights = ids.iter().map(|id| (*id, self.dice.below(1000))).collect();
        let high = self.dice.one_in(5);
        self.model.tell(Event::Weighed(weights, high));
    }

    /// All use little memory, and so does the machine.
    fn lighten(&mut self) {
        let ids = self.model.workers.keys();
        let weights = ids.map(|id| (*id, 0)).collect();
        self.model.tell(Event::Weighed(weights, false));
    }

    /// Some item raises an error.
    fn fail(&mut self) {
        let Some(id) = self.any_worker() else { return };
        let model = &self.model.workers[&id];
        // What is told in order waits for what was done before.
        let waits = !model.unsent.is_empty();
        if model.killed.is_some() || model.running.is_empty() || waits {
            return;
        }
        let running: Vec<u64> = model.running.iter().copied().collect();
        let item = self.dice.one_of(&running);
        self.model.raise(id, item);
    }

    /// From here on only poison kills.
    fn heal(&mut self) {
        if self.model.paused && !self.model.finished {
            self.model.pause(false);
        }
        if !self.model.input_ended && !self.model.finished {
            self.model.end_input();
        }
        if !self.model.finished {
            self.lighten();
        }
        if !self.model.finished {
            self.model.tell(Event::Wanted(false));
        }
        for _ in 0..100_000 {
            if self.model.finished {
                return;
            }
            if self.model.workers.values().all(ModelWorker::waits) {
                let due = self.model.dispatch.poll_timeout();
                let due = due.unwrap_or_else(|| {
                    panic!(
                        "nobody is waited for, nothing is due: {:#?}",
                        self.model.dispatch
                    )
                });
                let wait = due.saturating_duration_since(self.model.now);
                self.model.pass(wait);
            } else {
                self.work();
            }
        }
        panic!("the run does not end: {:#?}", self.model.dispatch);
    }
}
