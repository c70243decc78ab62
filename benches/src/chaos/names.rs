//! Whether deaths were told as what they were.

use std::collections::BTreeMap;

use super::{fault::Fault, targets::State};

/// Deaths by what they were, and those told as something else.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// How many were brought about by each fault.
    pub(super) injected: BTreeMap<&'static str, u64>,
    /// How many were told as that.
    pub(super) told: BTreeMap<&'static str, u64>,
    /// How those were told that nothing explains.
    pub(super) wrong: Vec<String>,
}

/// Holds the deaths that were told against what was done to the workers, and what they did themselves.
pub(super) fn compare(kills: &State, notes: &BTreeMap<u32, Vec<Fault>>) -> Names {
    let mut names = Names::default();
    let outside = kills.done.values().map(|(_, fault)| *fault);
    for fault in outside.chain(notes.values().flatten().copied()) {
        *names.injected.entry(fault.name()).or_default() += 1;
    }
    for told in &kills.told {
        let own = notes.get(&told.pid).into_iter().flatten();
        let done = kills.done.get(&told.worker).map(|(_, fault)| fault);
        match own.chain(done).find(|fault| fault.explains(&told.how)) {
            Some(fault) => *names.told.entry(fault.name()).or_default() += 1,
            None => names.wrong.push(format!("{}: {}", told.worker, told.how)),
        }
    }
    names
}
