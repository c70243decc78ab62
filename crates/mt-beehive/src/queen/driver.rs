//! Keeps a hive going: events to the parent's machine, its effects to bees and to those who wait.
//!
//! Loop: one a hive. Everything it awaits is cancel-safe.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use mt_proto::TaskId;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::sleep_until,
};

use super::{
    delegate::Reply,
    handle::{Asked, Desk},
    pump::{BeeEvent, Cradle, Line, pump},
};
use crate::hive::parent::{ChildId, Config, Effect, Event, Parent, Population};

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
    lines: BTreeMap<ChildId, Arc<Line>>,
    pumps: JoinSet<()>,
    events: mpsc::Sender<(u32, BeeEvent)>,
    heard: mpsc::Receiver<(u32, BeeEvent)>,
    replies: HashMap<TaskId, (u64, Reply)>,
    tokens: HashMap<u64, TaskId>,
    finished: bool,
}

impl Driver {
    pub(super) fn new(config: Config, cradle: Cradle, desk: Arc<Desk>) -> Self {
        let (events, heard) = mpsc::channel(BEE_EVENTS);
        Self {
            population: config.population,
            parent: Parent::new(config),
            cradle: Arc::new(cradle),
            desk,
            lines: BTreeMap::new(),
            pumps: JoinSet::new(),
            events,
            heard,
            replies: HashMap::new(),
            tokens: HashMap::new(),
            finished: false,
        }
    }

    /// Runs the hive until it is dead: every task resolved, every bee reaped. `end` tells when nothing more
    /// will be delegated; if it is dropped, the end comes at once.
    pub(super) async fn run(mut self, mut end: oneshot::Receiver<()>) {
        let mut ending = false;
        let mut period = Instant::now() + self.period();
        self.handle(Event::Tick);
        while !self.finished {
            let due = self.parent.poll_timeout();
            let due = due.map_or(period, |due| due.min(period));
            tokio::select! {
                ended = &mut end, if !ending => {
                    if ended.is_err() {
                        break;
                    }
                    ending = true;
                    self.take_asked();
                    self.desk.close();
                    self.handle(Event::Die);
                }
                () = self.desk.filled() => self.take_asked(),
                Some((child, event)) = self.heard.recv() => self.on_events(child, event),
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

    fn on_events(&mut self, child: u32, event: BeeEvent) {
        self.on_event(child, event);
        for _ in 0..EVENTS_PER_TURN {
            let Ok((child, event)) = self.heard.try_recv() else {
                return;
            };
            self.on_event(child, event);
        }
    }

    fn on_event(&mut self, child: u32, event: BeeEvent) {
        let child = ChildId(child);
        match event {
            BeeEvent::Said(messages) => {
                for message in messages {
                    crate::logger_debug_msg(&message, "a bee says");
                    self.handle(Event::Said(child, message));
                }
            }
            BeeEvent::Gone(how) => {
                tracing::debug!(child = child.0, how, "a bee is gone");
                self.lines.remove(&child);
                while self.pumps.try_join_next().is_some() {}
                self.handle(Event::Gone(child, how));
            }
        }
    }

    fn take_asked(&mut self) {
        for asked in self.desk.take() {
            match asked {
                Asked::Task(token, request, reply) => {
                    let task = self.parent.delegate(Instant::now(), request);
                    self.replies.insert(task, (token, reply));
                    self.tokens.insert(token, task);
                    self.act();
                }
                Asked::Drop(token) => {
                    if let Some(&task) = self.tokens.get(&token) {
                        let reason = "asked: nobody waits for it any more".to_owned();
                        self.handle(Event::Cancel(task, reason));
                    }
                }
                Asked::Spawn => self.handle(Event::SpawnBee),
                Asked::Bury(child) => self.handle(Event::Bury(child.map(ChildId))),
            }
        }
    }

    fn handle(&mut self, event: Event) {
        self.parent.handle(Instant::now(), event);
        self.act();
    }

    fn act(&mut self) {
        while let Some(effect) = self.parent.poll_effect() {
            match effect {
                Effect::Spawn(child) => {
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
                    if let Some(sender) = reply.and_then(|(_, reply)| reply.progress.as_ref()) {
                        sender.send_replace(progress);
                    }
                }
                Effect::Resolve(task, status, child) => {
                    if let Some((token, reply)) = self.replies.remove(&task) {
                        self.tokens.remove(&token);
                        let _ = reply.answer.send((status, child.map(|child| child.0)));
                    }
                }
                Effect::Finished => self.finished = true,
            }
        }
    }
}
