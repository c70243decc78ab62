//! The slots of worker processes, small numbers each of which one process has at a time, and what depends on them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt,
    sync::{Arc, Mutex},
};

use mt_ipc::{SpawnError, Surroundings, WorkerCommand};
use mt_proto::{Kept, guarded};

use crate::lock::lock;

/// The slots that processes have: of one owner, or of all that share their workers.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots(Arc<Mutex<BTreeSet<u32>>>);

/// A slot that nobody else has as long as this lives: until the process that has it is reaped.
#[derive(Debug)]
pub(super) struct SlotNumber {
    slots: Slots,
    number: u32,
}

impl Slots {
    /// The smallest that is free.
    pub(super) fn take(&self) -> SlotNumber {
        let mut taken = lock(&self.0);
        let number = (0..).find(|number| !taken.contains(number));
        let number = number.expect("there are fewer processes than numbers");
        taken.insert(number);
        SlotNumber {
            slots: self.clone(),
            number,
        }
    }
}

impl SlotNumber {
    pub(super) fn get(&self) -> u32 {
        self.number
    }
}

impl Drop for SlotNumber {
    fn drop(&mut self) {
        lock(&self.slots.0).remove(&self.number);
    }
}

/// The value of a variable for a slot.
pub(crate) type ValueBySlot = Arc<Kept<Box<dyn Fn(u32) -> OsString + Send + Sync>>>;

/// The environment variables of workers that depend on their slot. Each is asked for once a slot, so that who replaces a
/// worker has what that had.
#[derive(Default)]
pub(crate) struct SlotVariables {
    functions: BTreeMap<OsString, ValueBySlot>,
    known: Mutex<BTreeMap<u32, WorkerCommand>>,
}

impl fmt::Debug for SlotVariables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlotVariables")
            .field(&self.functions.keys())
            .finish()
    }
}

impl SlotVariables {
    pub(crate) fn new(functions: BTreeMap<OsString, ValueBySlot>) -> Self {
        Self {
            functions,
            known: Mutex::default(),
        }
    }

    /// How the worker in this slot is started. Calls functions of the user's, so no lock is to be held meanwhile.
    pub(super) fn command_in(
        &self,
        slot: u32,
        command: &WorkerCommand,
    ) -> Result<WorkerCommand, SpawnError> {
        if let Some(known) = lock(&self.known).get(&slot) {
            return Ok(known.clone());
        }
        let mut command = command.clone();
        command.slot = Some(slot);
        if self.functions.is_empty() {
            return Ok(command);
        }
        let surroundings = command.surroundings.get_or_insert_with(Surroundings::here);
        for (name, value) in &self.functions {
            let value = guarded(|| value(slot)).map_err(|panic| SpawnError::Variable {
                name: name.to_string_lossy().into_owned(),
                slot,
                message: panic.into_message(),
            })?;
            surroundings.set_variable(name.clone(), Some(value));
        }
        // Of two that ask at once the first counts.
        Ok(lock(&self.known).entry(slot).or_insert(command).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_that_is_free_is_taken() {
        let slots = Slots::default();
        let mut held: Vec<SlotNumber> = (0..4).map(|_| slots.take()).collect();
        assert_eq!(
            held.iter().map(SlotNumber::get).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
        held.remove(2);
        held.remove(0);
        let again = [slots.take(), slots.take(), slots.take()];
        assert_eq!(again.map(|slot| slot.get()), [0, 2, 4]);
    }
}
