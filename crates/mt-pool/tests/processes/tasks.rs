//! Tasks that several files run. What only one runs stands there.

use std::{thread, time::Duration};

use mt_pool::task;
use mt_test_kit::Folder;
use serde::{Deserialize, Serialize, Serializer, ser::Error};

use crate::deed::Deed;

/// As good as for ever.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(1000);

#[task]
pub(crate) fn double(n: u64) -> u64 {
    2 * n
}

#[task]
pub(crate) async fn double_async(n: u64) -> u64 {
    tokio::task::yield_now().await;
    2 * n
}

#[task]
pub(crate) fn pid(_: u64) -> u32 {
    std::process::id()
}

#[task]
pub(crate) fn forever(n: u64) -> u64 {
    thread::sleep(FOR_EVER); // work: never gets anywhere
    n
}

/// Goes on until the file `go` is there.
#[task]
pub(crate) fn waits_to_go(#[shared] folder: &Folder, n: u64) -> u64 {
    while !folder.exists("go") {
        thread::sleep(Duration::from_millis(1)); // work: goes on until it is told to end
    }
    n
}

/// Goes on until the file `go` is there, if it is the first.
#[task]
pub(crate) fn first_waits_to_go(#[shared] folder: &Folder, n: u64) -> u64 {
    folder.note("started", n);
    while n == 0 && !folder.exists("go") {
        thread::sleep(Duration::from_millis(1)); // work: goes on until it is told to end
    }
    n
}

/// Does what is written for it.
#[task]
pub(crate) fn act_by_id(#[shared] deeds: &[Deed], n: u64) -> u64 {
    deeds[n as usize % deeds.len()].clone().act()
}

/// A number that does not serialise when it is odd.
#[derive(Debug, Deserialize)]
pub(crate) struct Even(pub(crate) u64);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.is_multiple_of(2) {
            true => self.0.serialize(serializer),
            false => Err(S::Error::custom("odd")),
        }
    }
}
