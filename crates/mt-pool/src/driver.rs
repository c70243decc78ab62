//! The parent's side of a run: one thread, one loop, all workers.
//!
//! The loop reads an event, hands it to the machines of `dispatch` and `liveness`, and carries out
//! what they ask for. It decides nothing itself.

mod call_routes;
mod deliveries;
#[expect(clippy::module_inception, reason = "the loop itself, as in the hive")]
mod driver;
mod events;
mod exit_hooks;
mod thread;
mod watch;
mod workers;

pub(crate) use call_routes::{Admitted, CallEnd, CallRoutes};
pub(crate) use deliveries::{DeliveryReceiver, DeliverySender, deliveries};
pub(crate) use driver::{Plan, supervise};
pub(crate) use exit_hooks::Collected;
pub(crate) use thread::spawn_supervisor;
