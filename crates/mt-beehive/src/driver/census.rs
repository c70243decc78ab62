//! What a queen can ask about her hive, and what comes of what she asks for.

use mt_pool::supervision::Health;

use crate::machine::parent::BeeState;

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
    pub health: Health,
    /// The tasks she has.
    pub tasks: usize,
    /// How busy she is: 0 is free, 1 is full; 0 without a limit.
    pub busy: f64,
}
