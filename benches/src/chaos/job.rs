//! What workers are given to do, and their note of what they are about to do to themselves.

use std::{collections::BTreeMap, process};

use mt_test_kit::Folder;
use serde::{Deserialize, Serialize};

use super::fault::{Fault, INSIDE};
use crate::tasks::mix;

/// The file of the notes.
const NOTES: &str = "faults";

/// One task.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) n: u64,
    /// What it does in place of returning: which of those that there are.
    pub(super) fault: Option<u8>,
}

impl Job {
    /// Does it. A fault is noted first.
    pub(super) fn work(self, notes: &Folder) -> u64 {
        if let Some(fault) = self.fault {
            notes.note(NOTES, u64::from(process::id()) << 8 | u64::from(fault));
            INSIDE[usize::from(fault)].commit();
        }
        mix(self.n)
    }
}

#[mt_pool::task]
pub(super) async fn job(#[shared] notes: &Folder, job: Job) -> u64 {
    job.work(notes)
}

/// A bee that does jobs.
pub(super) struct Jobber(Folder);

#[mt_beehive::worker]
impl Jobber {
    fn new(notes: Folder) -> Self {
        Self(notes)
    }

    #[task]
    async fn job(&self, job: Job) -> u64 {
        job.work(&self.0)
    }
}

/// What workers were about to do, by their process's id.
pub(super) fn read_notes(notes: &Folder) -> BTreeMap<u32, Vec<Fault>> {
    let mut all: BTreeMap<u32, Vec<Fault>> = BTreeMap::new();
    for note in notes.noted(NOTES) {
        let fault = INSIDE[(note & 0xff) as usize];
        all.entry((note >> 8) as u32).or_default().push(fault);
    }
    all
}
