//! The tasks that calls find in a worker: those that were called by their numbers, and those that were prepared.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    mem,
};

use mt_proto::{Attachments, Failure, Preparation};

use super::{
    call_head::CallHead,
    call_target::{CallTarget, SharedBytes, undecodable},
    work::{NoResult, TargetChange},
};
use crate::{registry, worker::caught};

#[derive(Default)]
pub(super) struct Targets {
    known: BTreeMap<CallHead, KnownTarget>,
    /// Prepared tasks that no call is of any more, until the last that runs has ended.
    leaving: Vec<Box<dyn CallTarget>>,
}

enum KnownTarget {
    /// Not called yet: what its calls share is still bytes, because reading it is part of a call.
    Prepared(Preparation, Attachments),
    Ready(Box<dyn CallTarget>),
    /// What its calls share does not decode.
    Broken(Failure),
}

impl Targets {
    /// What a call is of, and its input.
    pub(super) fn find<'a>(
        &mut self,
        call: &'a [u8],
    ) -> Result<(&mut Box<dyn CallTarget>, &'a [u8]), NoResult> {
        let (head, input) = CallHead::read(call).ok_or_else(nobody)?;
        let target = match (head, self.known.entry(head)) {
            (_, Entry::Occupied(entry)) => entry.into_mut(),
            (CallHead::Task(number), Entry::Vacant(entry)) => {
                let task = registry::by_number(number).ok_or_else(nobody)?;
                let target = caught(|| (task.target)(None))??;
                entry.insert(KnownTarget::Ready(target.0))
            }
            (CallHead::Prepared(_), Entry::Vacant(_)) => return Err(nobody()),
        };
        target.make_ready()?;
        match target {
            KnownTarget::Ready(target) => Ok((target, input)),
            KnownTarget::Broken(failure) => Err(failure.clone().into()),
            KnownTarget::Prepared(..) => unreachable!("it was made ready"),
        }
    }

    pub(super) fn change(&mut self, change: TargetChange) {
        match change {
            TargetChange::Prepare(preparation, beside) => {
                let head = CallHead::Prepared(preparation.id);
                self.known
                    .insert(head, KnownTarget::Prepared(preparation, beside));
            }
            TargetChange::Forget(id) => {
                if let Some(KnownTarget::Ready(target)) = self.known.remove(&CallHead::Prepared(id))
                {
                    self.leaving.push(target);
                }
            }
        }
    }

    /// Takes out one of those that are to go and that no call is at any more.
    pub(super) fn pop_idle(&mut self) -> Option<Box<dyn CallTarget>> {
        let idle = self.leaving.iter().position(|target| target.is_idle())?;
        Some(self.leaving.swap_remove(idle))
    }

    /// All there are.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Box<dyn CallTarget>> + use<> {
        let known = mem::take(&mut self.known).into_values();
        let known = known.filter_map(|target| match target {
            KnownTarget::Ready(target) => Some(target),
            KnownTarget::Prepared(..) | KnownTarget::Broken(_) => None,
        });
        mem::take(&mut self.leaving).into_iter().chain(known)
    }
}

impl KnownTarget {
    /// Reads what its calls share, by code that is the user's. What does not decode once never does.
    fn make_ready(&mut self) -> Result<(), NoResult> {
        let Self::Prepared(preparation, beside) = self else {
            return Ok(());
        };
        let task = registry::by_number(preparation.task).ok_or_else(nobody)?;
        let bytes = SharedBytes {
            shared: &preparation.shared,
            context: &preparation.context,
            beside,
        };
        *self = match (task.target)(Some(bytes)) {
            Ok(target) => Self::Ready(target.0),
            Err(failure) => Self::Broken(*failure),
        };
        Ok(())
    }
}

#[cold]
fn nobody() -> NoResult {
    undecodable("a call", "of no task that this worker knows").into()
}
