//! From the effects of the dispatch machine to workers and to the output.

use super::driver::Driver;
use crate::{
    dispatch::{Effect, KillReason},
    events::PoolEvent,
    stats::Happened,
    supervision::DeathCause,
};

impl Driver {
    /// Carries out what the dispatch machine asks for.
    pub(super) fn act(&mut self) {
        while let Some(effect) = self.dispatch.poll_effect() {
            match effect {
                Effect::Spawn(worker) => {
                    self.record(Happened::Spawned(worker));
                    self.workers.start(worker);
                }
                Effect::Send(worker, run, patience) => {
                    self.record(PoolEvent::ItemsGiven {
                        worker: worker.0,
                        first: run.first.0,
                        count: run.count,
                    });
                    self.workers.send(worker, run, patience);
                }
                Effect::Retire(worker) => {
                    self.record(Happened::Leaving(worker));
                    self.workers.retire(worker);
                }
                Effect::Release(worker) => {
                    self.record(Happened::Leaving(worker));
                    self.workers.release(worker);
                }
                Effect::Kill(worker, reason) => {
                    self.record(Happened::Leaving(worker));
                    match reason {
                        KillReason::Overran(_) => {
                            self.workers.terminate(worker, DeathCause::Overran)
                        }
                        reason => self.workers.kill(worker, cause_of(reason)),
                    }
                }
                Effect::Deliver(delivery) => {
                    self.exchange.on_delivered(delivery.len_bytes());
                    // The consumer's credit is the bound of this queue, so there is room, unless
                    // the consumer is gone.
                    let _ = self.output.try_send(delivery);
                }
                Effect::Finished => self.finished = true,
            }
        }
    }
}

/// What a worker is killed for.
fn cause_of(reason: KillReason) -> DeathCause {
    match reason {
        KillReason::Results(error) => DeathCause::BrokeProtocol(error.to_string()),
        KillReason::Overran(_) => DeathCause::Overran,
        KillReason::Memory { rss, limit } => DeathCause::MemoryExceeded {
            rss_bytes: rss,
            limit_bytes: limit,
        },
        KillReason::Displaced => DeathCause::Displaced,
        KillReason::Lingered => DeathCause::Lingered,
        KillReason::Stopped => DeathCause::Stopped,
    }
}
