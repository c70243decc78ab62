//! Deaths, counted by their cause.

use super::death::DeathCause;

/// How many workers have died of what. See [`DeathCause`] for the causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Deaths {
    /// By themselves, or killed from outside.
    pub by_themselves: u64,
    /// Without a sign of life.
    pub frozen: u64,
    /// Without getting further.
    pub blocked: u64,
    /// Sending what no worker sends.
    pub broke_protocol: u64,
    /// With their connection closed.
    pub hung_up: u64,
    /// Running past a hard deadline.
    pub overran: u64,
    /// Using more memory than allowed.
    pub memory_exceeded: u64,
    /// Because the system had no memory left.
    pub out_of_memory: u64,
    /// Because others needed their memory.
    pub displaced: u64,
    /// Taking too long to go.
    pub lingered: u64,
    /// Owing an answer for too long, though they gave signs of life.
    pub no_answer: u64,
    /// A context that kept its thread for too long when it was closed.
    pub close_blocked: u64,
    /// Workers that could not be ended, and may still be there.
    pub out_of_reach: u64,
    /// By a `SIGTERM` from outside.
    pub terminated: u64,
}

impl Deaths {
    /// Each cause with its count, by the names of the fields: for the labels of a metric.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        // By name, so that the compiler tells of one that is missing.
        let Self {
            by_themselves,
            frozen,
            blocked,
            broke_protocol,
            hung_up,
            overran,
            memory_exceeded,
            out_of_memory,
            displaced,
            lingered,
            no_answer,
            close_blocked,
            out_of_reach,
            terminated,
        } = *self;
        let named = [
            ("by_themselves", by_themselves),
            ("frozen", frozen),
            ("blocked", blocked),
            ("broke_protocol", broke_protocol),
            ("hung_up", hung_up),
            ("overran", overran),
            ("memory_exceeded", memory_exceeded),
            ("out_of_memory", out_of_memory),
            ("displaced", displaced),
            ("lingered", lingered),
            ("no_answer", no_answer),
            ("close_blocked", close_blocked),
            ("out_of_reach", out_of_reach),
            ("terminated", terminated),
        ];
        named.into_iter()
    }

    pub(crate) fn count(&mut self, cause: &DeathCause) {
        match cause {
            DeathCause::Itself => self.by_themselves += 1,
            DeathCause::Frozen => self.frozen += 1,
            DeathCause::Blocked => self.blocked += 1,
            DeathCause::BrokeProtocol(_) => self.broke_protocol += 1,
            DeathCause::HungUp => self.hung_up += 1,
            DeathCause::Overran => self.overran += 1,
            DeathCause::MemoryExceeded { .. } => self.memory_exceeded += 1,
            DeathCause::OutOfMemory => self.out_of_memory += 1,
            DeathCause::Displaced => self.displaced += 1,
            DeathCause::Lingered => self.lingered += 1,
            DeathCause::NoAnswer { .. } => self.no_answer += 1,
            DeathCause::CloseBlocked => self.close_blocked += 1,
            DeathCause::OutOfReach => self.out_of_reach += 1,
            DeathCause::Terminated => self.terminated += 1,
            // One that was no longer needed: not a death that counts.
            DeathCause::Stopped => {}
        }
    }
}
