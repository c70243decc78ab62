//! What a queen can ask about her hive, and what comes of what she asks for.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::machine::parent::{BeeState, Counted};

/// A worker bee at one moment: see [`Hive::bees`](crate::Hive::bees).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BeeStatus {
    /// Her id.
    pub id: u32,
    /// Her process's id; `None` until that is started.
    pub pid: Option<u32>,
    /// How far she is in her life.
    pub state: BeeState,
    /// Whether she gives signs of life, and gets any further.
    pub health: BeeHealth,
    /// The tasks she has.
    pub tasks: usize,
    /// How busy she is: 0 is free, 1 is full; 0 without a limit.
    pub busy: f64,
}

/// Whether a worker bee gives signs of life, as [`LivenessPolicy`](crate::LivenessPolicy) has it. It is judged
/// once an interval of hers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BeeHealth {
    /// There is nothing to say against it.
    Well,
    /// Somebody has stopped her process, and she has missed her beats.
    Stopped,
    /// She has missed her beats for another reason.
    Frozen,
    /// She beats, but a task holds her thread.
    Blocked,
}

/// What is known of a bee's process, by whoever attends to it.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    /// 0 until there is a process.
    pid: AtomicU32,
    health: AtomicU8,
}

impl Vitals {
    pub(crate) fn set_pid(&self, pid: u32) {
        self.pid.store(pid, Ordering::Relaxed);
    }

    pub(crate) fn set_health(&self, health: BeeHealth) {
        self.health.store(health as u8, Ordering::Relaxed);
    }

    pub(crate) fn status(&self, counted: Counted) -> BeeStatus {
        let pid = self.pid.load(Ordering::Relaxed);
        BeeStatus {
            id: counted.child.0,
            pid: (pid > 0).then_some(pid),
            state: counted.state,
            health: match self.health.load(Ordering::Relaxed) {
                0 => BeeHealth::Well,
                1 => BeeHealth::Stopped,
                2 => BeeHealth::Frozen,
                _ => BeeHealth::Blocked,
            },
            tasks: counted.tasks,
            busy: match counted.most {
                Some(most) if most > 0 => (counted.tasks as f64 / f64::from(most)).min(1.0),
                _ => 0.0,
            },
        }
    }
}
