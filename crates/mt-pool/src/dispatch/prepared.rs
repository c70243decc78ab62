//! Prepared tasks: which of them each worker has been told of, and what it forgets to make room.
//!
//! Pure: no IO, no clock, no runtime.

use std::sync::{Arc, Weak};

use mt_proto::{Frame, ItemIndex, PreparedId, WorkerId};

use super::{Dispatch, Effect};

/// The most prepared tasks that a worker keeps, each with its shared value and its context. A service has a few; one that
/// prepares a task for each of its users has their values in its workers no longer than they are used.
pub(crate) const MAX_PREPARED: usize = 16;

/// A task with what its calls share, as workers are told of it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) id: PreparedId,
    pub(crate) frame: Frame,
}

/// The prepared tasks that a worker has, the one that was called last at the end.
#[derive(Debug, Default)]
pub(super) struct KnownPrepared(Vec<(PreparedId, Weak<Prepared>)>);

impl KnownPrepared {
    /// One is called. Unless the worker has it, returns those that make room for it: what nobody can call any more, and
    /// what was not called for longest.
    fn on_call(&mut self, prepared: &Arc<Prepared>) -> Option<Vec<PreparedId>> {
        let known = self.0.iter().position(|(id, _)| *id == prepared.id);
        if let Some(at) = known {
            self.0[at..].rotate_left(1);
            return None;
        }
        let mut forgotten = Vec::new();
        self.0.retain(|(id, handle)| {
            let is_dead = handle.strong_count() == 0;
            forgotten.extend(is_dead.then_some(*id));
            !is_dead
        });
        if self.0.len() == MAX_PREPARED {
            forgotten.push(self.0.remove(0).0);
        }
        self.0.push((prepared.id, Arc::downgrade(prepared)));
        Some(forgotten)
    }
}

impl Dispatch {
    /// Tells a worker of the prepared task that a call is of, if it is of one that the worker does not have. Comes before the
    /// call is sent.
    pub(super) fn prepare(&mut self, worker: WorkerId, call: ItemIndex) {
        let terms = self.queue.calls.terms(call);
        let Some(prepared) = terms.and_then(|terms| terms.prepared.clone()) else {
            return;
        };
        let Some(slot) = self.workers.get_mut(&worker) else {
            return;
        };
        let Some(forgotten) = slot.prepared.on_call(&prepared) else {
            return;
        };
        let forget = |id| Effect::Forget(worker, id);
        self.effects.extend(forgotten.into_iter().map(forget));
        self.effects.push_back(Effect::Prepare(worker, prepared));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mt_proto::Kind;

    use super::*;

    fn prepared(id: u64) -> Arc<Prepared> {
        Arc::new(Prepared {
            id: PreparedId(id),
            frame: Frame::new(Kind::Prepare, Bytes::new()),
        })
    }

    fn ids(ids: impl IntoIterator<Item = u64>) -> Option<Vec<PreparedId>> {
        Some(ids.into_iter().map(PreparedId).collect())
    }

    /// Case M240: A worker is told of a prepared task once, keeps 16, and forgets the one that was not called for longest, and
    /// before that those that nobody can call any more.
    #[test]
    fn the_least_recently_called_is_forgotten() {
        let all: Vec<_> = (0..20).map(prepared).collect();
        let mut known = KnownPrepared::default();
        for one in &all[..16] {
            assert_eq!(known.on_call(one), ids([]));
        }
        assert_eq!(known.on_call(&all[0]), None);
        assert_eq!(known.on_call(&all[16]), ids([1]), "0 was called since");
        assert_eq!(known.on_call(&all[1]), ids([2]));
        let left: Vec<_> = all.into_iter().filter(|one| one.id.0 >= 5).collect();
        assert_eq!(
            known.on_call(&left[12]),
            ids([3, 4, 0, 1]),
            "all but 5 to 16"
        );
        assert_eq!(known.on_call(&left[13]), ids([]), "there is room");
    }
}
