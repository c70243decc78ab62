//! The two kinds of bees.

use crate::params::Lead;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caste {
    Worker,
    Queen,
}

const TASK_CX: Lead = Lead {
    ty: "TaskCx",
    local: "cx",
};
const HIVE: Lead = Lead {
    ty: "Hive",
    local: "hive",
};

impl Caste {
    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Worker => "#[worker]",
            Self::Queen => "#[queen]",
        }
    }

    /// The first arguments, in this order, that a task need not have.
    pub(super) fn leads(self) -> &'static [Lead] {
        match self {
            Self::Worker => &[TASK_CX, HIVE],
            Self::Queen => &[HIVE],
        }
    }

    /// The type that is asked for tasks, and its methods: no task can have their names.
    pub(super) fn asked(self) -> (&'static str, &'static str) {
        match self {
            Self::Worker => ("Hive", "delegate spawn bury bees stats interrupted clone"),
            Self::Queen => ("Queen", "task hive cancel clone"),
        }
    }
}
