//! What a queen can ask about her hive, and what comes of what she asks for.

use mt_pool::supervision::Health;

use crate::machine::parent::BeeState;

/// A worker bee at one moment: see [`Hive::bees`](crate::Hive::bees).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BeeStatus {
    /// The bee's id.
    pub id: u32,
    /// The bee's process's id; `None` until that is started.
    pub pid: Option<u32>,
    /// How far the bee is in its life.
    pub state: BeeState,
    /// Whether the bee gives signs of life, and gets any further.
    pub health: Health,
    /// The tasks that the bee has.
    pub tasks: usize,
    /// How busy the bee is: 0 is free, 1 is full; 0 without a limit.
    pub busy: f64,
}
