//! How far works have come, in numbers.

/// How many works went in and came out: the seed's three counters.
///
/// Taken while other threads go on, the three may be an instant apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkCounters {
    /// Works handed to the pool.
    #[doc(alias = "send_counter")]
    pub sent: u64,
    /// Outcomes taken from the pool, skipped ones too. `sent - received` are on the way.
    #[doc(alias = "recv_counter")]
    pub received: u64,
    /// Outcomes given to the caller.
    #[doc(alias = "retr_counter")]
    pub retrieved: u64,
}
