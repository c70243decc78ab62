//! Keeps a hive going: events to the parent's machine, its effects to bees and to those who wait.
//!
//! Loop: one a hive. Everything it awaits is cancel-safe.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use mt_pool::__private::Interrupts;
use mt_proto::{FromBee, TaskId, hive_messages};
use rustc_hash::FxHashMap;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::sleep_until,
};

use super::{
    census::BeeStatus,
    delegate::Reply,
    handle::{Asked, Desk},
    pump::{BeeEvent, Cradle, Line, pump},
};
use crate::hive::parent::{ChildId, Config, Counted, Effect, Event, Parent, Population};

/// The events of all bees that may wait. A bee that finds no place waits, and so does her process, by the
/// socket.
const BEE_EVENTS: usize = 256;
/// The events handled before the effects of all of them are carried out.
const EVENTS_PER_TURN: usize = 64;
/// Later than any hive lives.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The driver of one hive.
pub(super) struct Driver {
    parent: Parent,
    population: Population,
    cradle: Arc<Cradle>,
    desk: Arc<Desk>,
    interrupts: Interrupts,
    lines: BTreeMap<ChildId, Arc<Line>>,
    pumps: JoinSet<()>,
    events: mpsc::Sender<(u32, BeeEvent)>,
    heard: mpsc::Receiver<(u32, BeeEvent)>,
    replies: FxHashMap<TaskId, Reply>,
    /// An empty queue, for that of the desk.
    asked: VecDeque<Asked>,
    /// Who is to be told of the next bees that are started.
    births: VecDeque<oneshot::Sender<Option<u32>>>,
    /// Who is to be told that a bee is gone.
    graves: BTreeMap<ChildId, oneshot::Sender<Option<u32>>>,
    finished: bool,
}

impl Driver {
    pub(super) fn new(
        config: Config,
        cradle: Cradle,
        desk: Arc<Desk>,
        interrupts: Interrupts,
    ) -> Self {
        let (events, heard) = mpsc::channel(BEE_EVENTS);
        Self {
            population: config.population,
            parent: Parent::new(config),
            cradle: Arc::new(cradle),
            desk,
            interrupts,
            lines: BTreeMap::new(),
            pumps: JoinSet::new(),
            events,
            heard,
            replies: FxHashMap::default(),
            asked: VecDeque::new(),
            births: VecDeque::new(),
            graves: BTreeMap::new(),
            finished: false,
        }
    }

    /// Runs the hive until it is dead: every task resolved, every bee reaped. `end` tells when nothing more
    /// will be delegated; if `held` is no longer, the end comes at once.
    pub(super) async fn run(
        mut self,
        mut end: oneshot::Receiver<()>,
        mut held: oneshot::Receiver<Infallible>,
    ) {
        let mut ending = false;
        let mut period = Instant::now() + self.period();
        self.handle(Event::Tick);
        while !self.finished {
            let due = self.parent.poll_timeout();
            let due = due.map_or(period, |due| due.min(period));
            tokio::select! {
                _ = &mut held => break,
                Ok(()) = &mut end, if !ending => {
                    ending = true;
                    self.desk.end();
                    self.take_asked();
                    self.desk.leave_stats(self.parent.stats());
                    self.handle(Event::Die);
                }
                () = self.desk.filled() => self.take_asked(),
                Some((child, event)) = self.heard.recv() => self.on_events(child, event),
                () = self.interrupts.interrupted() => self.on_interrupt(),
                () = sleep_until(due.into()) => self.on_time(&mut period),
            }
        }
        self.desk.close();
        for line in self.lines.values() {
            line.kill();
        }
        // What they still say is nobody's any more, but it must not hold them up.
        self.heard.close();
        while self.pumps.join_next().await.is_some() {}
        self.cradle.events.finish().await;
        self.desk.leave_stats(self.parent.stats());
    }

    fn on_interrupt(&mut self) {
        if !self.parent.is_interrupted() {
            let what = "interrupted: what bees do goes on to its end, the rest is cancelled";
            self.cradle.events.tell(move || tracing::warn!("{what}"));
        }
        self.handle(Event::Interrupt);
        self.desk.interrupt();
    }

    fn on_time(&mut self, period: &mut Instant) {
        let now = Instant::now();
        if *period <= now {
            *period = now + self.period();
            let pressed = mt_pool::used_cpu_too_much() || mt_pool::used_memory_too_much();
            self.handle(Event::Pressed(pressed));
        }
        self.handle(Event::Tick);
    }

    fn period(&self) -> Duration {
        match self.population {
            Population::Fixed(_) => FAR,
            Population::Elastic { period, .. } => period,
        }
    }

    /// Takes in what has come, and then carries out the effects of all of it.
    fn on_events(&mut self, child: u32, event: BeeEvent) {
        let now = Instant::now();
        self.on_event(now, child, event);
        for _ in 0..EVENTS_PER_TURN {
            let Ok((child, event)) = self.heard.try_recv() else {
                break;
            };
            self.on_event(now, child, event);
        }
        self.settle(now);
    }

    fn on_event(&mut self, now: Instant, child: u32, event: BeeEvent) {
        let child = ChildId(child);
        match event {
            BeeEvent::Said(_) if self.lines.get(&child).is_some_and(|line| line.is_broken()) => {}
            BeeEvent::Said(frame) => {
                for message in hive_messages::<FromBee>(frame) {
                    match message {
                        Ok(message) => {
                            crate::logger_debug_msg(&message, "a bee says");
                            self.parent.handle(now, Event::Said(child, message));
                        }
                        Err(error) => {
                            if let Some(line) = self.lines.get(&child) {
                                line.broken(&error);
                            }
                            return;
                        }
                    }
                }
            }
            BeeEvent::Silent(silent) => self.parent.handle(now, Event::Silent(child, silent)),
            BeeEvent::Gone(how) => {
                self.lines.remove(&child);
                while self.pumps.try_join_next().is_some() {}
                match self.parent.why_lost(child, &how) {
                    Some(why) => {
                        let (bee, why) = (child.0, why.to_owned());
                        let tell = move || tracing::warn!(bee, why, "a worker bee is lost");
                        self.cradle.events.tell(tell);
                    }
                    None => tracing::debug!(bee = child.0, how, "a worker bee is gone"),
                }
                self.parent.handle(now, Event::Gone(child, how));
                if let Some(told) = self.graves.remove(&child) {
                    let _ = told.send(Some(child.0));
                }
            }
        }
    }

    fn take_asked(&mut self) {
        let now = Instant::now();
        let mut all = std::mem::take(&mut self.asked);
        self.desk.take(&mut all);
        for asked in all.drain(..) {
            match asked {
                Asked::Task(task_id, request, reply) => {
                    let task = self.parent.delegate(now, request);
                    debug_assert_eq!(task, task_id, "the desk and the machine count alike");
                    self.replies.insert(task, reply);
                }
                Asked::Drop(task) => {
                    let reason = "asked: nobody waits for it any more".to_owned();
                    self.parent.handle(now, Event::Cancel(task, reason));
                }
                Asked::Spawn(told) => {
                    self.parent.handle(now, Event::SpawnBee);
                    self.births.push_back(told);
                }
                Asked::Bury(child, told) => self.bury(now, child.map(ChildId), told),
                Asked::Bees(told) => drop(told.send(self.bees())),
                Asked::Stats(told) => drop(told.send(self.parent.stats())),
            }
        }
        self.asked = all;
        self.settle(now);
    }

    fn bury(&mut self, now: Instant, child: Option<ChildId>, told: oneshot::Sender<Option<u32>>) {
        let Some(child) = self.parent.who_goes(child) else {
            let _ = told.send(None);
            return;
        };
        self.graves.insert(child, told);
        self.parent.handle(now, Event::Bury(Some(child)));
    }

    fn bees(&self) -> Vec<BeeStatus> {
        let counted = self.parent.count_bees().into_iter();
        let status = |bee: Counted| Some(self.lines.get(&bee.child)?.vitals.status(bee));
        counted.filter_map(status).collect()
    }

    fn handle(&mut self, event: Event) {
        let now = Instant::now();
        self.parent.handle(now, event);
        self.settle(now);
    }

    fn settle(&mut self, now: Instant) {
        self.parent.settle(now);
        self.act();
        if self.parent.is_interrupted() {
            // None is born any more.
            self.births.clear();
        }
    }

    fn act(&mut self) {
        while let Some(effect) = self.parent.poll_effect() {
            match effect {
                Effect::Spawn(child) => {
                    if let Some(told) = self.births.pop_front() {
                        let _ = told.send(Some(child.0));
                    }
                    let line = Arc::new(Line::default());
                    self.lines.insert(child, Arc::clone(&line));
                    let cradle = Arc::clone(&self.cradle);
                    self.pumps
                        .spawn(pump(child.0, cradle, line, self.events.clone()));
                }
                Effect::Say(child, message) => {
                    crate::logger_debug_msg(&message, "the queen says");
                    if let Some(line) = self.lines.get(&child) {
                        line.say(&message);
                    }
                }
                Effect::Kill(child) => {
                    if let Some(line) = self.lines.get(&child) {
                        line.kill();
                    }
                }
                Effect::Progress(task, progress) => {
                    let reply = self.replies.get(&task);
                    if let Some(sender) = reply.and_then(|reply| reply.progress.as_ref()) {
                        sender.send_replace(progress);
                    }
                }
                Effect::Resolve(task, status, child) => {
                    if let Some(reply) = self.replies.remove(&task) {
                        let _ = reply.answer.send((status, child.map(|child| child.0)));
                    }
                }
                Effect::Finished => self.finished = true,
            }
        }
    }
}

/// However it ends, nobody waits for it any more.
impl Drop for Driver {
    fn drop(&mut self) {
        self.desk.close();
    }
}
