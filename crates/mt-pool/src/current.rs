//! What a task can ask about the call it is in, kept beside it on its thread.

use std::{cell::Cell, time::Instant};

use mt_proto::ItemIndex;
use rand::{Rng as _, SeedableRng, rngs::ChaCha8Rng};

/// The position in the input of the item this call is for; `None` outside of a call (for example when
/// the function is called directly).
///
/// To be asked on the thread the task was called on, and not from a task it has spawned.
#[must_use]
pub fn task_index() -> Option<u64> {
    Ambient::current().map(|current| current.index.0)
}

/// Whether the call has passed its [soft deadline](crate::limits::Deadlines::soft) and should return.
///
/// An `async` call is cancelled at its next `await`; a plain function has to ask. False outside of a
/// call and without a deadline. Costs a look at the clock.
#[must_use]
pub fn is_cancelled() -> bool {
    let due = Ambient::current().and_then(|current| current.soft_due);
    due.is_some_and(|due| due <= Instant::now())
}

/// Random numbers for this call: always the same for the same [seed](crate::AsynPmap::seed) and item,
/// however many workers there are and however often the item is tried again.
///
/// Every call of `task_rng` within one call of the task starts the same sequence over: make one and
/// keep it. Outside of a call the numbers come from the system and differ each time.
///
/// The generator is ChaCha8 (Bernstein, 2008), keyed with the seed, with the item's index as its stream;
/// its values don't change between versions of its crate or machines.
///
/// ```
/// use mt_pool::{asyn_pmap, task_rng};
/// use rand::Rng;
///
/// #[mt_pool::task]
/// fn draw(sides: u64) -> u64 {
///     task_rng().next_u64() % sides
/// }
///
/// #[mt_pool::main]
/// fn main() -> anyhow::Result<()> {
///     let draws = |processes| -> anyhow::Result<Vec<u64>> {
///         let run = asyn_pmap::<draw>([6; 100]).processes(processes).seed(7).start()?;
///         Ok(run.into_iter().collect::<Result<_, _>>()?)
///     };
///     assert_eq!(draws(1)?, draws(2)?);
///     Ok(())
/// }
/// ```
#[must_use]
pub fn task_rng() -> ChaCha8Rng {
    match Ambient::current() {
        Some(current) => {
            let mut rng = ChaCha8Rng::seed_from_u64(current.seed);
            rng.set_stream(current.index.0);
            rng
        }
        None => ChaCha8Rng::seed_from_u64(random_seed()),
    }
}

/// A seed nobody has chosen.
pub(crate) fn random_seed() -> u64 {
    rand::rng().next_u64()
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Ambient {
    pub(crate) index: ItemIndex,
    /// What its random numbers are made from, with the index.
    pub(crate) seed: u64,
    /// When it should be done.
    pub(crate) soft_due: Option<Instant>,
}

thread_local! {
    static CURRENT: Cell<Option<Ambient>> = const { Cell::new(None) };
}

impl Ambient {
    #[inline]
    pub(crate) fn enter(self) {
        CURRENT.set(Some(self));
    }

    pub(crate) fn current() -> Option<Self> {
        CURRENT.get()
    }

    #[inline]
    pub(crate) fn leave() {
        CURRENT.set(None);
    }
}
