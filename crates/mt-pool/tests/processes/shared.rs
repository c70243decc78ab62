//! What all items share, and how often it crosses.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::prelude::*;

/// How often the value was written, and read, in this process.
static WRITTEN: AtomicU32 = AtomicU32::new(0);
static READ: AtomicU32 = AtomicU32::new(0);

#[derive(Debug)]
struct Counted(u64);

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WRITTEN.fetch_add(1, Relaxed);
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.fetch_add(1, Relaxed);
        Ok(Self(u64::deserialize(deserializer)?))
    }
}

/// The process that an item is in, what all share, and how often that was read there.
type Seen = (u32, u64, u32);

#[task]
fn sees(#[shared] counted: &Counted, _: u64) -> Seen {
    (std::process::id(), counted.0, READ.load(Relaxed))
}

#[task]
async fn sees_async(#[shared] counted: &Counted, n: u64) -> Seen {
    sees(counted, n)
}

/// How often the value was written, and the most often that a process has read it.
fn crossings<T>(change: impl FnOnce(AsynPmap<T>) -> AsynPmap<T>) -> (u32, u32)
where
    T: Task<Input = u64, Output = Seen, Shared = Counted, Error: Debug>,
{
    let before = WRITTEN.load(Relaxed);
    let run = asyn_pmap::<T>(0..300).processes(2).shared(Counted(7));
    let seen = values(change(run));
    assert!(seen.iter().all(|(_, shared, _)| *shared == 7));
    let most = seen.iter().map(|(_, _, read)| *read).max().unwrap();
    (WRITTEN.load(Relaxed) - before, most)
}

/// Workers are replaced meanwhile, and those of a pool are used again.
///
/// Case M142: A shared value is written once for a run and sent once to each of its workers, however many items they do.
#[test_with(alone)]
fn a_shared_value_crosses_once_for_each_worker_and_not_for_each_item() {
    let recycle = Recycle::new().after_items(50);
    assert_eq!(crossings::<sees>(|run| run.recycle(recycle)), (1, 1));
    assert_eq!(crossings::<sees_async>(|run| run.batch_size(7)), (1, 1));
    let pool = Pool::builder().processes(1).start().unwrap();
    for runs in 1..=3 {
        assert_eq!(crossings::<sees>(|run| run.pool(&pool)), (1, runs));
    }
}
