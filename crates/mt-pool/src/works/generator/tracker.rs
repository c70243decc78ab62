//! From what the pool tells about workers to what works tell about contexts.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex},
};

use super::ids::WorkIds;
use crate::{
    events::PoolEvent,
    lock::lock,
    works::progress::{Progress, ProgressSender},
};

/// Tells progress, and knows which work is in which context. A context has the number of its worker.
#[derive(Debug, Clone)]
pub(super) struct Tracker {
    progress: ProgressSender,
    ids: WorkIds,
    places: Arc<Mutex<Places>>,
}

/// Everything here is about works on the way, whose number is bounded by the run's capacity.
#[derive(Debug, Default)]
struct Places {
    /// The context of each work that was given to one, by position.
    context_of: HashMap<u64, u32>,
    contexts: HashMap<u32, Stage>,
}

#[derive(Debug)]
enum Stage {
    /// Not open yet. Its works so far are told when it is.
    Awaited(Vec<Range<u64>>),
    Open,
}

impl Tracker {
    pub(super) fn new(progress: ProgressSender, ids: WorkIds) -> Self {
        Self {
            progress,
            ids,
            places: Arc::default(),
        }
    }

    pub(super) fn on_event(&self, event: &PoolEvent) {
        match event {
            PoolEvent::ItemsGiven {
                worker,
                first,
                count,
            } => self.on_given(*worker, *first..*first + u64::from(*count)),
            PoolEvent::ContextOpened { worker } => self.on_opened(*worker),
            PoolEvent::ContextOpenFailed { worker, message } => {
                // Its works are raised, or wait for another attempt; none was scheduled.
                lock(&self.places).contexts.remove(worker);
                self.raised(*worker, message.clone());
            }
            PoolEvent::ContextCloseFailed { worker, message } => {
                self.raised(*worker, message.clone());
                self.destroyed(*worker);
            }
            PoolEvent::WorkerDied { worker, death, .. } if self.is_in_use(*worker) => {
                self.raised(*worker, death.to_string());
                self.destroyed(*worker);
            }
            PoolEvent::ContextClosed { worker }
            | PoolEvent::WorkerLeft { worker, .. }
            | PoolEvent::WorkerReleased { worker, .. } => {
                self.destroyed(*worker);
            }
            _ => {}
        }
    }

    /// A work has its outcome. Returns the context it was in.
    pub(super) fn take(&self, position: u64) -> Option<u32> {
        lock(&self.places).context_of.remove(&position)
    }

    pub(super) fn tell(&self, message: Progress) {
        self.progress.offer(message);
    }

    fn on_given(&self, worker: u32, positions: Range<u64>) {
        let mut places = lock(&self.places);
        let each = positions.clone().map(|position| (position, worker));
        places.context_of.extend(each);
        let stage = places.contexts.entry(worker);
        match stage.or_insert_with(|| Stage::Awaited(Vec::new())) {
            Stage::Awaited(works) => works.push(positions),
            Stage::Open => {
                drop(places);
                self.scheduled(worker, positions);
            }
        }
    }

    fn on_opened(&self, worker: u32) {
        let before = lock(&self.places).contexts.insert(worker, Stage::Open);
        self.tell(Progress::ContextCreated { context_id: worker });
        if let Some(Stage::Awaited(works)) = before {
            for positions in works {
                self.scheduled(worker, positions);
            }
        }
    }

    fn scheduled(&self, context_id: u32, positions: Range<u64>) {
        for position in positions {
            self.tell(Progress::TaskScheduled {
                context_id,
                work_id: self.ids.at(position),
            });
        }
    }

    fn raised(&self, context_id: u32, error: String) {
        self.tell(Progress::ContextRaised { context_id, error });
    }

    /// Whether a worker has a context, or was given works for one. A worker may die before the word
    /// that it has opened it is out.
    fn is_in_use(&self, worker: u32) -> bool {
        lock(&self.places).contexts.contains_key(&worker)
    }

    fn destroyed(&self, worker: u32) {
        if let Some(Stage::Open) = lock(&self.places).contexts.remove(&worker) {
            self.tell(Progress::ContextDestroyed { context_id: worker });
        }
    }
}
