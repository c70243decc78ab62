//! The tasks that benches and chaos run in worker processes.

use std::{io, time::Duration};

use mt_pool::Blob;

use crate::cpu;

/// Does nothing, as an async function: what is measured is everything around it.
#[mt_pool::task]
pub async fn same(n: u64) -> u64 {
    n
}

/// Does nothing, as a plain function.
#[mt_pool::task]
pub fn same_plain(n: u64) -> u64 {
    n
}

/// Keeps a processor busy for so many rounds, and gives their number.
#[mt_pool::task]
pub fn spin(rounds: u64) -> u64 {
    cpu::rounds(rounds)
}

/// The same as an async function.
#[mt_pool::task]
pub async fn spin_async(rounds: u64) -> u64 {
    cpu::rounds(rounds)
}

/// Sleeps for so many microseconds, and gives their number.
#[mt_pool::task]
pub fn sleep(micros: u64) -> u64 {
    std::thread::sleep(Duration::from_micros(micros));
    micros
}

/// The same as an async function.
#[mt_pool::task]
pub async fn sleep_async(micros: u64) -> u64 {
    tokio::time::sleep(Duration::from_micros(micros)).await;
    micros
}

/// Gives back the bytes it is given.
#[mt_pool::task]
pub async fn same_body(body: Vec<u8>) -> Vec<u8> {
    body
}

/// Gives back the blob that it is given.
#[mt_pool::task]
pub async fn same_blob(blob: Blob) -> Blob {
    blob
}

/// Makes a blob of the same bytes as the one that it is given.
#[mt_pool::task]
pub async fn new_blob(blob: Blob) -> Result<Blob, String> {
    blob_of(blob.len()).map_err(|error| error.to_string())
}

/// A blob of sevens.
pub(crate) fn blob_of(bytes: usize) -> io::Result<Blob> {
    Blob::filled(bytes, |blob| {
        blob.fill(7);
        Ok(())
    })
}

/// Makes bytes like those that it is given.
#[mt_pool::task]
pub async fn new_body(body: Vec<u8>) -> Vec<u8> {
    vec![7; body.len()]
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
