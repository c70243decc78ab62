//! Runs that anything may happen in for a while: then all behave, and every task must have ended.

use std::{
    collections::BTreeSet,
    env,
    panic::{catch_unwind, resume_unwind},
    time::Duration,
};

use mt_pool::supervision::RestartBudget;
use mt_proto::TaskId;
use mt_test_kit::Dice;

use super::{
    process::Nature,
    sim::{ANSWER, BURY_GRACE, CANCEL_GRACE, EXIT_GRACE, SUSPECT_GRACE, Sim},
};
use crate::machine::parent::{Config, Dispatch, Event, Population};

const RUNS: u64 = 4_000;
/// The variable that names the only run to be played.
const SEED: &str = "MT_SIM_SEED";

/// What must have been seen in some run: runs in which nothing happens show nothing.
const SOMETIMES: [&str; 21] = [
    "a question to a bee that is behind",
    "a last attempt beside others that have gone on for long",
    "a bee is asked whether she hears",
    "a bee that owes an answer is killed",
    "a fenced late result",
    "a late accept",
    "a retry that succeeds",
    "a task was given back",
    "a task was not begun when its bee died",
    "all deny, then success",
    "an innocent task lost its bee",
    "deadline",
    "her own bees die first",
    "interrupted",
    "die",
    "die with an open accept",
    "dropped",
    "no workers",
    "succeeded",
    "task taken",
    "worker lost",
];

/// What there is to this run, drawn once: how rare crashes are, how many bees can't be made …
struct Weather {
    /// One step of a bee in so many is her last.
    crashes: u64,
    /// One bee in so many can't be made.
    barren: u64,
    /// One task with a deadline in so many ignores it.
    stubborn: u64,
}

struct Play<'a> {
    sim: Sim,
    dice: Dice<'a>,
    weather: Weather,
    /// Takes no step until another does not, or none.
    stopped: Option<u32>,
}

/// Case R7: Every task that is delegated ends exactly once, whatever happens.
#[test]
fn every_task_is_resolved_once_whatever_happens() {
    if let Ok(seed) = env::var(SEED) {
        play(Dice::seeded(seed.parse().expect("a number")));
        return;
    }
    let mut seen = BTreeSet::new();
    for seed in 0..RUNS {
        match catch_unwind(|| play(Dice::seeded(seed))) {
            Ok(sim) => seen.extend(sim.oracle.seen.into_keys()),
            Err(panic) => {
                eprintln!("{SEED}={seed} plays the run again that failed");
                resume_unwind(panic);
            }
        }
    }
    for what in SOMETIMES {
        assert!(seen.contains(what), "{what}: never; {seen:?}");
    }
}

/// Otherwise a seed that has failed would tell nothing.
#[test]
fn a_seed_is_a_run() {
    for seed in 0..100 {
        let [one, other] = [(); 2].map(|()| play(Dice::seeded(seed)));
        assert!(one.told == other.told && one.heard == other.heard);
        assert_eq!(one.oracle.ends, other.oracle.ends);
    }
}

pub(super) fn play(mut dice: Dice<'_>) -> Sim {
    let config = random_config(&mut dice);
    let nature = random_nature(&mut dice, config.dispatch);
    let weather = Weather {
        crashes: [2, 20, 1000][dice.below(3) as usize],
        barren: [3, 20, u64::MAX][dice.below(3) as usize],
        stubborn: [2, u64::MAX][dice.below(2) as usize],
    };
    let sim = Sim::new(config, nature);
    let mut play = Play {
        sim,
        dice,
        weather,
        stopped: None,
    };
    play.sim.tell(Event::Tick);
    for _ in 0..play.dice.below(300) {
        play.anything();
    }
    play.heal();
    play.sim
}

pub(super) fn random_config(dice: &mut Dice<'_>) -> Config {
    Config {
        dispatch: [Dispatch::Auction, Dispatch::Credit][dice.below(2) as usize],
        population: match dice.below(2) {
            0 => Population::Fixed(1 + dice.below(3) as usize),
            _ => Population::Elastic {
                min: 1,
                max: 3,
                period: Duration::from_secs(1),
            },
        },
        crash_limit: 1 + dice.below(3) as u32,
        restarts: RestartBudget {
            limit: dice.below(12) as u32,
            period: Duration::from_secs(10),
        },
        exit_grace: EXIT_GRACE,
        bury_grace: BURY_GRACE,
        cancel_grace: CANCEL_GRACE,
        answer: ANSWER,
        suspect_grace: SUSPECT_GRACE,
    }
}

fn random_nature(dice: &mut Dice<'_>, dispatch: Dispatch) -> Nature {
    let places = 1 + dice.below(3) as u32;
    // In credit nobody is asked, so nobody may say too much.
    let boasts = dispatch == Dispatch::Auction && dice.one_in(4);
    Nature {
        promised: boasts.then_some(places + 1),
        is_parent: dice.one_in(3),
        ..Nature::of(places)
    }
}

impl Play<'_> {
    fn anything(&mut self) {
        let barren = self.dice.one_in(self.weather.barren);
        self.sim.nature.barren = barren;
        let dice = &mut self.dice;
        self.sim.together(dice.one_in(2));
        match dice.below(16) {
            0 | 1 => {
                let limit = dice.one_in(3).then_some(Duration::from_millis(500));
                self.sim.delegate_within(limit);
            }
            2 if dice.one_in(4) => {
                let task = TaskId(dice.below(self.sim.delegated().max(1)));
                self.sim.cancel(task);
            }
            3 if dice.one_in(6) => self.sim.spawn(),
            4 if dice.one_in(6) => {
                let any = dice.pick(&self.sim.bees());
                let whom = any.filter(|_| dice.one_in(2));
                self.sim.bury(whom);
            }
            5 if dice.one_in(3) => self.sim.tell(Event::Pressed(dice.one_in(2))),
            6 if dice.one_in(3) => {
                let millis = [1, 50, 200, 6000, 12_000, 30_000][dice.below(6) as usize];
                self.sim.pass(Duration::from_millis(millis));
            }
            7 if dice.one_in(4) => {
                let any = dice.pick(&self.sim.bees());
                self.stopped = any.filter(|_| !dice.one_in(4));
            }
            8 if dice.one_in(4) => {
                // With reason or without.
                if let Some(bee) = dice.pick(&self.sim.bees()) {
                    self.sim.silence(bee, dice.one_in(2));
                }
            }
            9 if dice.one_in(50) => self.sim.tell(Event::Interrupt),
            9 if dice.one_in(3) => {
                if let Some(bee) = dice.pick(&self.sim.bees()) {
                    let held = !dice.one_in(4);
                    self.sim.process(bee).hold(held);
                }
            }
            10 if dice.one_in(2) => {
                if let Some(bee) = dice.pick(&self.sim.bees()) {
                    match dice.one_in(2) {
                        true => self.sim.process(bee).fall_behind(),
                        false => self.sim.process(bee).take_answer(),
                    };
                }
            }
            12 if dice.one_in(4) => {
                self.sim.ask();
            }
            11 if dice.one_in(60) => {
                if let Some(bee) = dice.pick(&self.sim.bees()) {
                    self.sim.process(bee).mute = true;
                }
            }
            _ => self.step(),
        }
    }

    /// Something happens to some bee.
    fn step(&mut self) {
        let Some(bee) = self.dice.pick(&self.sim.bees()) else {
            return;
        };
        if self.stopped == Some(bee) {
            // What it has said is heard all the same, and it can be killed.
            if self.sim.process(bee).doomed {
                self.crash(bee);
            } else {
                self.sim.listen(bee);
            }
            return;
        }
        if self.sim.process(bee).buries && self.dice.one_in(4) {
            return self.sim.process(bee).children_gone();
        }
        match self.dice.below(9) {
            0 if self.dice.one_in(self.weather.crashes) => self.crash(bee),
            0 if self.sim.process(bee).doomed => self.crash(bee),
            0 | 1 => {
                self.end_one(bee);
            }
            2 => {
                let running = self.running(bee);
                if let Some(task) = self.dice.pick(&running) {
                    self.sim.process(bee).progress(task);
                }
            }
            3..=5 => {
                self.sim.process(bee).hear();
            }
            _ => {
                self.sim.listen(bee);
            }
        }
    }

    fn running(&mut self, bee: u32) -> Vec<TaskId> {
        let process = self.sim.process(bee);
        process.running.keys().copied().collect()
    }

    /// Whether a task does not end when it is told to.
    fn is_stubborn(&mut self, bee: u32, task: TaskId) -> bool {
        self.sim.process(bee).running[&task].cancelled
            && Dice::seeded(task.0).one_in(self.weather.stubborn)
    }

    fn end_one(&mut self, bee: u32) -> bool {
        let mut running = self.running(bee);
        running.retain(|&task| !self.is_stubborn(bee, task));
        let Some(task) = self.dice.pick(&running) else {
            return false;
        };
        self.sim.process(bee).end(task);
        true
    }

    /// A bee dies: it loses what it had not read, and some of what it was about to send.
    fn crash(&mut self, bee: u32) {
        let process = self.sim.process(bee);
        let kept = self.dice.below(process.from.len() as u64 + 1);
        process.crash(kept as usize);
    }

    /// From here on nobody dies of herself and every task ends: first all that was asked for is done, and
    /// then the hive dies.
    fn heal(&mut self) {
        self.sim.nature.barren = false;
        self.sim.together(false);
        for bee in self.sim.bees() {
            self.sim.silence(bee, false);
        }
        // Without: a hive may have buried its last bee, and must die all the same.
        if self.dice.one_in(2) {
            self.sim.spawn();
            self.converge();
            assert_eq!(self.sim.oracle.open(), 0, "{:?}", self.sim.parent);
        }
        let abandons = self.dice.one_in(4);
        self.sim.tell(match abandons {
            true => Event::Abandon,
            false => Event::Die,
        });
        self.converge();
        assert!(self.sim.finished, "{:?}", self.sim.parent);
    }

    /// Goes on until there is nothing that could still happen.
    fn converge(&mut self) {
        for _ in 0..10_000 {
            self.sim.settle();
            if !self.sweep() {
                let Some(pause) = self.sim.due_in() else {
                    return;
                };
                self.sim.pass(pause);
            }
        }
        panic!("it does not end: {:?}", self.sim.parent);
    }

    /// Ends what ends and kills who is to be killed; false if there is neither.
    fn sweep(&mut self) -> bool {
        let mut any = false;
        for bee in self.sim.bees() {
            // Tasks end, also those that hold a thread; those that wait for it are begun then.
            any |= if self.sim.process(bee).doomed {
                self.crash(bee);
                true
            } else if self.sim.process(bee).buries {
                self.sim.process(bee).children_gone();
                true
            } else {
                self.end_one(bee)
            };
        }
        any
    }
}
