//! Both machines over links that keep the order, with bees that die at any moment.
//!
//! * [`sim`]: the production machines, and processes and links as they are: in order, cut by a death.
//! * [`oracle`]: what must hold whatever happens; it looks on from outside and knows no machine.
//! * [`random`]: runs that anything may happen in. `MT_SIM_SEED=17 cargo test -p mt-beehive --lib random` plays
//!   one again.
//! * [`rules`]: the rule table of the protocol, row by row, as stories.
//!
//! Links without processes can't show that reading never stops, that user code can't hold up an answer, and
//! that bees end with their parent (rules 12 to 14): `tests/processes/` shows them with real ones.

mod fuzz;
mod ledger;
mod oracle;
mod process;
mod random;
mod rules;
mod sim;
