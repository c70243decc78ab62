//! Keeps a hive going: events to the parent's machine, its effects to bees and to those who wait.
//!
//! Loop: one a hive. Everything it awaits is cancel-safe.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mt_pool::{
    limits::reckonable,
    supervision::{
        DeathCause, Interruption, Interrupts, SessionEvent, SessionEvents, SpawnSpec, WorkerEvents,
        Workers,
    },
};
use mt_proto::{TaskId, WorkerId, dispose, guarded};
use rustc_hash::FxHashMap;
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep_until,
};

use super::{
    bee_handle::{BeeHandle, Outbox},
    command_queue::{Command, CommandQueue, Reply, answer},
    ending::{Grace, HiveEnd},
};
use crate::machine::parent::{
    BeeId, BeeState, BeeStatus, Config, Effect, Event, ParentMachine, Population,
};

/// The events handled before the effects of all of them are carried out.
const EVENTS_PER_TURN: usize = 64;
/// The shortest time after which it is told what keeps a hive from ending.
const SHORTEST_GRACE: Duration = Duration::from_millis(1);
/// Later than any hive lives.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The driver of one hive.
pub(crate) struct Driver {
    pub(super) parent: ParentMachine,
    population: Population,
    exit_grace: Duration,
    commands: Arc<CommandQueue>,
    interrupts: Interrupts,
    pub(super) workers: Workers,
    events: SessionEvents,
    pub(super) handles: BTreeMap<BeeId, BeeHandle>,
    /// Where `tracing` events of bees go, and those about them: a subscriber may block, or panic.
    pub(super) relay: WorkerEvents,
    replies: FxHashMap<TaskId, Reply>,
    /// An empty queue, for that of the commands.
    taken: VecDeque<Command>,
    /// Who is to be told of the next bees that are started.
    pending_spawns: VecDeque<oneshot::Sender<Option<u32>>>,
    /// Who is to be told that a bee is gone.
    pub(super) pending_exits: BTreeMap<BeeId, oneshot::Sender<Option<u32>>>,
    finished: bool,
    /// While it is to end: when it is told what keeps it, and how long after that again.
    told_at: Option<(Instant, Duration)>,
    /// While it is to end within one.
    grace: Option<Grace>,
}

impl Driver {
    /// Asks for the first bees at once. To be called within the runtime that it is to run in.
    pub(crate) fn new(
        config: Config,
        (spec, relay): (SpawnSpec, WorkerEvents),
        commands: Arc<CommandQueue>,
        interrupts: Interrupts,
    ) -> Self {
        let (workers, events) = Workers::new(spec);
        let mut driver = Self {
            exit_grace: config.exit_grace,
            population: config.population,
            parent: ParentMachine::new(config),
            commands,
            interrupts,
            workers,
            events,
            handles: BTreeMap::new(),
            relay,
            replies: FxHashMap::default(),
            taken: VecDeque::new(),
            pending_spawns: VecDeque::new(),
            pending_exits: BTreeMap::new(),
            finished: false,
            told_at: None,
            grace: None,
        };
        driver.handle(Event::Tick);
        driver
    }

    /// Runs the hive until it is dead: every task resolved, every bee reaped. `held` tells when nothing more
    /// will be delegated; if it is held no longer, the end comes at once.
    pub(crate) async fn run(mut self, mut held: mpsc::Receiver<HiveEnd>) {
        let mut period = Instant::now() + self.period();
        while !self.finished {
            let due = self.parent.poll_timeout();
            let told_at = self.told_at.map(|(at, _)| at);
            let grace = self.grace.as_ref().and_then(Grace::due);
            let due = due.into_iter().chain(told_at).chain(grace);
            let due = due.fold(period, Instant::min);
            tokio::select! {
                end = held.recv() => match end {
                    Some(how) => self.on_end(how),
                    None => break,
                },
                () = self.commands.filled() => self.take_commands(),
                Some((worker, event)) = self.events.recv() => self.on_events(worker, event),
                how = self.interrupts.interrupted() => self.on_interrupt(how),
                () = sleep_until(due.into()) => self.on_time(&mut period),
            }
        }
        self.commands.end();
        for handle in self.handles.values() {
            handle.control.kill(DeathCause::Stopped);
        }
        // What they still say is nobody's any more, but it must not hold them up.
        self.events.close();
        loop {
            tokio::select! {
                () = self.workers.join_all() => break,
                () = self.commands.filled() => self.answer_last_questions(),
            }
        }
        // Before nobody is asked any more: who is not answered looks there.
        self.commands.leave_stats(self.parent.stats());
        self.commands.close();
        self.relay.finish().await;
        if let Some(grace) = self.grace.take() {
            grace.tell();
        }
    }

    fn on_end(&mut self, how: HiveEnd) {
        self.commands.end();
        self.take_commands();
        self.commands.leave_stats(self.parent.stats());
        let pause = self.exit_grace.max(SHORTEST_GRACE);
        self.told_at = Some((Instant::now() + pause, pause));
        let event = match how {
            HiveEnd::Finish => Event::Die,
            HiveEnd::Abandon => Event::Abandon,
            HiveEnd::Within(grace, tell) => {
                let there_are = (self.parent.outstanding(), self.handles.len());
                self.grace = Some(Grace::new(grace, there_are, tell));
                Event::Die
            }
        };
        self.handle(event);
    }

    /// Every bee that is left is being killed.
    fn answer_last_questions(&mut self) {
        self.commands.take(&mut self.taken);
        for command in std::mem::take(&mut self.taken) {
            match command {
                Command::Bees(reply_tx) => {
                    let mut bees = self.bees();
                    for bee in &mut bees {
                        bee.state = BeeState::Killed;
                    }
                    let _ = reply_tx.send(bees);
                }
                Command::Stats(reply_tx) => drop(reply_tx.send(self.parent.stats())),
                Command::Task(..) | Command::Drop(_) | Command::Spawn(_) | Command::Bury(..) => {}
            }
        }
    }

    fn on_interrupt(&mut self, how: Interruption) {
        let (event, what) = match how {
            Interruption::Drain => (
                Event::Interrupt,
                "interrupted: what bees do goes on to its end, the rest is cancelled",
            ),
            Interruption::AtOnce => (Event::InterruptAtOnce, "interrupted: all is cancelled"),
        };
        if !self.parent.is_interrupted() {
            self.relay.tell(move || tracing::warn!("{what}"));
        }
        self.handle(event);
        self.commands.interrupt();
    }

    fn on_time(&mut self, period: &mut Instant) {
        let now = Instant::now();
        if *period <= now {
            *period = now + self.period();
            let pressed =
                mt_pool::load::used_cpu_too_much() || mt_pool::load::used_memory_too_much();
            self.handle(Event::Pressed(pressed));
        }
        self.tell_what_keeps_it(now);
        let tasks = self.parent.outstanding();
        let grace = self.grace.as_mut();
        if grace.is_some_and(|grace| grace.is_over(now, tasks)) {
            self.handle(Event::Abandon);
        }
        self.handle(Event::Tick);
    }

    /// Tasks that never end keep a hive from ending, which nobody would know of otherwise.
    fn tell_what_keeps_it(&mut self, now: Instant) {
        let Some((_, pause)) = self.told_at.filter(|(at, _)| *at <= now) else {
            return;
        };
        let pause = reckonable(pause.saturating_mul(2));
        self.told_at = Some((now + pause, pause));
        if let Some((tasks, oldest)) = self.parent.unresolved() {
            self.relay.tell(move || {
                tracing::warn!(
                    tasks,
                    oldest,
                    "a hive is to end, and waits for tasks that have not ended; those that never do need a deadline"
                );
            });
        }
    }

    fn period(&self) -> Duration {
        match self.population {
            Population::Fixed(_) => FAR,
            Population::Elastic { period, .. } => reckonable(period),
        }
    }

    /// Takes in what has come, and then carries out the effects of all of it.
    fn on_events(&mut self, worker: WorkerId, event: SessionEvent) {
        let now = Instant::now();
        self.on_session(now, worker, event);
        for _ in 0..EVENTS_PER_TURN {
            let Ok((worker, event)) = self.events.try_recv() else {
                break;
            };
            self.on_session(now, worker, event);
        }
        self.settle(now);
    }

    fn take_commands(&mut self) {
        let now = Instant::now();
        let mut all = std::mem::take(&mut self.taken);
        self.commands.take(&mut all);
        for command in all.drain(..) {
            match command {
                Command::Task(task_id, request, reply) => {
                    let task = self.parent.delegate(now, request);
                    debug_assert_eq!(task, task_id, "the commands and the machine count alike");
                    self.replies.insert(task, reply);
                }
                Command::Drop(task) => {
                    self.parent.handle(now, Event::Drop(task));
                }
                Command::Spawn(reply_tx) => {
                    self.parent.handle(now, Event::SpawnBee);
                    self.pending_spawns.push_back(reply_tx);
                }
                Command::Bury(child, reply_tx) => self.bury(now, child.map(BeeId), reply_tx),
                Command::Bees(reply_tx) => answer(reply_tx, self.bees()),
                Command::Stats(reply_tx) => answer(reply_tx, self.parent.stats()),
            }
        }
        self.taken = all;
        self.settle(now);
    }

    fn bury(&mut self, now: Instant, child: Option<BeeId>, reply_tx: oneshot::Sender<Option<u32>>) {
        let Some(child) = self.parent.who_goes(child) else {
            return answer(reply_tx, None);
        };
        self.pending_exits.insert(child, reply_tx);
        self.parent.handle(now, Event::Bury(Some(child)));
    }

    fn bees(&self) -> Vec<BeeStatus> {
        let mut bees = self.parent.bees();
        for bee in &mut bees {
            if let Some(handle) = self.handles.get(&BeeId(bee.id)) {
                (bee.pid, bee.health) = (handle.pid, handle.health);
            }
        }
        bees
    }

    fn handle(&mut self, event: Event) {
        let now = Instant::now();
        self.parent.handle(now, event);
        self.settle(now);
    }

    fn settle(&mut self, now: Instant) {
        self.look_at_late_bees(now);
        self.parent.settle(now);
        self.act();
        if self.parent.starts_none() {
            self.pending_spawns.drain(..).for_each(dispose);
        }
    }

    /// Whoever dies first has not overrun.
    fn look_at_late_bees(&mut self, now: Instant) {
        for child in self.parent.late_bees(now) {
            let pid = self.handles.get(&child).and_then(|handle| handle.pid);
            if pid.is_some_and(mt_ipc::is_dying) {
                self.parent.handle(now, Event::Dying(child));
            }
        }
    }

    fn act(&mut self) {
        while let Some(effect) = self.parent.poll_effect() {
            match effect {
                Effect::Spawn(child) => {
                    if let Some(reply_tx) = self.pending_spawns.pop_front() {
                        answer(reply_tx, Some(child.0));
                    }
                    let outbox = Arc::new(Outbox::default());
                    let worker = WorkerId(child.0);
                    let control = self.workers.start_with(worker, Arc::clone(&outbox));
                    self.handles.insert(child, BeeHandle::new(outbox, control));
                }
                Effect::Say(child, message) => {
                    crate::log::logger_debug_msg(&message, "the queen says");
                    if let Some(handle) = self.handles.get(&child) {
                        handle.outbox.say(&message);
                    }
                }
                Effect::Kill(child, cause) => {
                    if let Some(handle) = self.handles.get(&child) {
                        handle.control.kill(cause);
                    }
                }
                Effect::Progress(task, progress) => {
                    let reply = self.replies.get(&task);
                    if let Some(sender) = reply.and_then(|reply| reply.progress.as_ref()) {
                        let _ = guarded(|| sender.send_replace(progress));
                    }
                }
                Effect::Resolve(task, end, child) => {
                    if let Some(reply) = self.replies.remove(&task) {
                        reply.give((end, child.map(|child| child.0)));
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
        self.commands.close();
    }
}
