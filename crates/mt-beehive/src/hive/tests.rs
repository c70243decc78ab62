//! Both machines over links that keep the order, with bees that die at any moment.
use std::{
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use bytes::Bytes;
use mt_pool::RestartBudget;
use mt_proto::{FromBee, TaskId, TaskStatus, ToBee};

use super::{
    child::{self, Child},
    parent::{ChildId, Config, Dispatch, Effect, Event, Parent, Population, Request},
};

const RUNS: u64 = 4_000;

struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }
}

/// A bee's process and the two directions of its link.
#[derive(Default)]
struct Process {
    child: Option<Child>,
    to: VecDeque<ToBee>,
    from: VecDeque<FromBee>,
    running: Vec<TaskId>,
    cancelled: Vec<TaskId>,
    /// It has exited or was killed; what it had sent is still on its way.
    over: bool,
    told_to_die: bool,
}

struct Sim {
    parent: Parent,
    config: Config,
    most: u32,
    now: Instant,
    processes: BTreeMap<ChildId, Process>,
    delegated: u64,
    resolved: BTreeMap<TaskId, &'static str>,
    started: BTreeMap<TaskId, u32>,
    finished: bool,
    seen: BTreeMap<&'static str, u64>,
}

impl Sim {
    fn new(config: Config, most: u32) -> Self {
        Self {
            parent: Parent::new(config.clone()),
            config,
            most,
            now: Instant::now(),
            processes: BTreeMap::new(),
            delegated: 0,
            resolved: BTreeMap::new(),
            started: BTreeMap::new(),
            finished: false,
            seen: BTreeMap::new(),
        }
    }

    fn delegate(&mut self, limit: Option<Duration>) {
        let request = Request {
            name: "work".into(),
            args: Bytes::new(),
            limit,
        };
        let task = self.parent.delegate(self.now, request);
        self.parent.settle(self.now);
        assert_eq!(task, TaskId(self.delegated), "ids count up from 0");
        self.delegated += 1;
        self.carry_out();
    }

    fn tell(&mut self, event: Event) {
        self.parent.handle(self.now, event);
        self.parent.settle(self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.parent.poll_effect() {
            assert!(!self.finished, "nothing happens after the end");
            match effect {
                Effect::Spawn(child) => {
                    let process = Process {
                        child: Some(Child::new(Some(self.most))),
                        ..Process::default()
                    };
                    assert!(self.processes.insert(child, process).is_none());
                }
                Effect::Say(child, message) => self.on_say(child, message),
                Effect::Kill(child) => {
                    let process = self.processes.get_mut(&child).expect("it lives");
                    process.over = true;
                    process.child = None;
                }
                Effect::Progress(..) => {}
                Effect::Resolve(task, status, child) => self.on_resolve(task, &status, child),
                Effect::Finished => {
                    assert!(self.processes.is_empty());
                    self.finished = true;
                }
            }
        }
        let open = self.delegated - self.resolved.len() as u64;
        assert_eq!(self.parent.outstanding() as u64, open, "none is lost");
    }

    fn on_say(&mut self, child: ChildId, message: ToBee) {
        let process = self.processes.get_mut(&child).expect("it lives");
        let late = matches!(message, ToBee::TaskCancel { .. });
        assert!(!process.told_to_die || late, "after die: {message:?}");
        process.told_to_die |= message == ToBee::Die;
        if let ToBee::TaskInfo(info) = &message {
            let task = info.task_id;
            assert!(!self.resolved.contains_key(&task));
            let process = &self.processes[&child];
            assert!(!process.running.contains(&task));
            let owners = self
                .processes
                .values()
                .filter(|p| p.running.contains(&task));
            assert_eq!(owners.count(), 0, "one live owner");
        }
        self.see(match &message {
            ToBee::TaskTaken { .. } => "taken",
            ToBee::Die => "die",
            _ => "said",
        });
        let process = self.processes.get_mut(&child).expect("it lives");
        if !process.over {
            process.to.push_back(message);
        }
    }

    fn on_resolve(&mut self, task: TaskId, status: &TaskStatus, child: Option<ChildId>) {
        let how = match status {
            TaskStatus::Succeeded { .. } => "succeeded",
            TaskStatus::Raised(_) => "raised",
            TaskStatus::Cancelled { reason } => {
                let reason = reason.as_deref().unwrap_or_default();
                let known = [
                    "worker_lost",
                    "deadline",
                    "no worker bee",
                    "asked",
                    "the hive",
                ];
                let found = known.into_iter().find(|known| reason.starts_with(known));
                found.unwrap_or_else(|| panic!("{reason}"))
            }
        };
        assert_eq!(
            child.is_some(),
            matches!(how, "succeeded" | "raised") || child.is_some()
        );
        assert!(self.resolved.insert(task, how).is_none(), "{task:?} twice");
        assert!(self.started.get(&task).copied().unwrap_or(0) <= self.most_starts());
        self.see(how);
    }

    /// An innocent task may be started again any number of times; one that killed its bees may not.
    fn most_starts(&self) -> u32 {
        u32::MAX
    }

    fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// A bee takes its next message.
    fn hear(&mut self, id: ChildId) {
        let process = self.processes.get_mut(&id).expect("picked");
        let (Some(child), Some(message)) = (&mut process.child, process.to.pop_front()) else {
            return;
        };
        child
            .handle(child::Event::Said(message))
            .expect("the parent makes sense");
        self.act(id);
    }

    /// Carries out what a bee wants.
    fn act(&mut self, id: ChildId) {
        let process = self.processes.get_mut(&id).expect("picked");
        let Some(child) = &mut process.child else {
            return;
        };
        while let Some(effect) = child.poll_effect() {
            match effect {
                child::Effect::Say(message) => process.from.push_back(message),
                child::Effect::Start(info) => {
                    process.running.push(info.task_id);
                    *self.started.entry(info.task_id).or_default() += 1;
                }
                child::Effect::Cancel(task) => process.cancelled.push(task),
                child::Effect::Exit => process.over = true,
            }
        }
        assert!(child.places_taken() <= self.most as usize);
        assert!(!child.is_dying() || child.places_taken() == process.running.len());
        if process.over {
            assert!(process.running.is_empty(), "nothing owned at its end");
            process.child = None;
        }
    }

    /// A task of a bee ends.
    fn end(&mut self, id: ChildId, dice: &mut Dice) {
        let process = self.processes.get_mut(&id).expect("picked");
        let Some(child) = &mut process.child else {
            return;
        };
        if process.running.is_empty() {
            return;
        }
        let at = dice.below(process.running.len() as u64) as usize;
        let task = process.running.swap_remove(at);
        let status = match process.cancelled.contains(&task) {
            true => TaskStatus::Cancelled { reason: None },
            false => TaskStatus::Succeeded {
                returning_value: Bytes::new(),
            },
        };
        child
            .handle(child::Event::Ended(task, status))
            .expect("its own");
        self.act(id);
    }

    /// The parent takes a bee's next message, or its end when there is none left.
    fn listen(&mut self, id: ChildId) {
        let process = self.processes.get_mut(&id).expect("picked");
        match process.from.pop_front() {
            Some(message) => self.tell(Event::Said(id, message)),
            None if process.over => {
                self.processes.remove(&id);
                self.tell(Event::Gone(id, "killed by signal 9".into()));
            }
            None => {}
        }
    }

    /// A bee dies: it loses what it had not read, and some of what it was about to send.
    fn crash(&mut self, id: ChildId, dice: &mut Dice) {
        let process = self.processes.get_mut(&id).expect("picked");
        process.over = true;
        process.child = None;
        process.to.clear();
        process.running.clear();
        let kept = dice.below(process.from.len() as u64 + 1) as usize;
        process.from.truncate(kept);
    }
}

fn play(seed: u64) -> Sim {
    let mut dice = Dice(seed);
    let config = Config {
        dispatch: [Dispatch::Auction, Dispatch::Credit][dice.below(2) as usize],
        population: match dice.below(2) {
            0 => Population::Fixed(1 + dice.below(3) as usize),
            _ => Population::Elastic {
                min: 1,
                max: 3,
                period: Duration::from_secs(1),
            },
        },
        crash_limit: dice.below(4) as u32,
        restarts: RestartBudget {
            limit: dice.below(12) as u32,
            period: Duration::from_secs(10),
        },
        exit_grace: Duration::from_secs(5),
        cancel_grace: Duration::from_millis(100),
    };
    let most = 1 + dice.below(3) as u32;
    let mut sim = Sim::new(config, most);
    sim.tell(Event::Tick);
    let rarity = [5, 30, 1000][dice.below(3) as usize];
    for _ in 0..dice.below(300) {
        anything(&mut sim, &mut dice, rarity);
    }
    heal(&mut sim, &mut dice);
    sim
}

fn anything(sim: &mut Sim, dice: &mut Dice, rarity: u64) {
    match dice.below(14) {
        0 | 1 => sim.delegate(dice.one_in(3).then_some(Duration::from_millis(500))),
        2 if dice.one_in(4) => {
            let task = TaskId(dice.below(sim.delegated.max(1)));
            sim.tell(Event::Cancel(task, "asked".into()));
        }
        3 if dice.one_in(6) => sim.tell(Event::SpawnBee),
        4 if dice.one_in(6) => sim.tell(Event::Bury(None)),
        5 if dice.one_in(3) => sim.tell(Event::Pressed(dice.one_in(2))),
        6 if dice.one_in(3) => {
            sim.now += Duration::from_millis([1, 50, 200, 6000][dice.below(4) as usize]);
            sim.tell(Event::Tick);
        }
        _ => step(sim, dice, rarity),
    }
}

/// Something happens to some bee.
fn step(sim: &mut Sim, dice: &mut Dice, rarity: u64) {
    let ids: Vec<ChildId> = sim.processes.keys().copied().collect();
    if ids.is_empty() {
        return;
    }
    let id = ids[dice.below(ids.len() as u64) as usize];
    match dice.below(8) {
        0 if dice.one_in(rarity) => sim.crash(id, dice),
        0 | 1 => sim.end(id, dice),
        2..=4 => {
            sim.act(id);
            sim.hear(id);
        }
        _ => sim.listen(id),
    }
}

/// From here on nobody dies and every task ends: all must be resolved, and all must go.
fn heal(sim: &mut Sim, dice: &mut Dice) {
    sim.tell(Event::SpawnBee);
    sim.tell(Event::Die);
    for turn in 0..200_000 {
        if sim.finished {
            assert_eq!(sim.resolved.len() as u64, sim.delegated);
            return;
        }
        if turn % 64 == 63 {
            sim.now += Duration::from_millis(20);
            sim.tell(Event::Tick);
        }
        step(sim, dice, u64::MAX);
    }
    panic!("it does not end: {:#?}", sim.parent);
}

#[test]
fn every_task_is_resolved_once_whatever_happens() {
    let mut seen = BTreeMap::new();
    for seed in 0..RUNS {
        match catch_unwind(AssertUnwindSafe(|| play(seed))) {
            Ok(sim) => {
                for (what, count) in sim.seen {
                    *seen.entry(what).or_insert(0) += count;
                }
                *seen.entry("stale").or_insert(0) += sim.parent.stale();
                let _ = &sim.config;
            }
            Err(panic) => {
                eprintln!("run with seed {seed} failed");
                resume_unwind(panic);
            }
        }
    }
    for what in [
        "taken",
        "die",
        "succeeded",
        "worker_lost",
        "deadline",
        "no worker bee",
        "asked",
    ] {
        assert!(seen.contains_key(what), "{what} was never hit: {seen:?}");
    }
}
