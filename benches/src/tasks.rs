//! The tasks that benches and chaos run in worker processes.

/// Does nothing, as an async function: what is measured is everything around it.
#[mt_pool::task]
pub async fn same(n: u64) -> u64 {
    n
}

/// Gives back the bytes it is given.
#[mt_pool::task]
pub async fn same_body(body: Vec<u8>) -> Vec<u8> {
    body
}

/// Next to nothing, but a result that only the right item has.
#[mt_pool::task]
pub async fn mixed(n: u64) -> u64 {
    mix(n)
}

/// What [`mixed()`] returns: a different value for every `n`.
#[must_use]
pub const fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    n ^ (n >> 29)
}

/// A bee that gives back what she is given.
#[derive(Default)]
pub struct Echoer;

#[mt_beehive::worker]
impl Echoer {
    #[task]
    async fn same(&self, n: u64) -> u64 {
        n
    }
}
