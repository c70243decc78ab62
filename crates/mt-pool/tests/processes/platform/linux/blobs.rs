//! Large values where there are no descriptors for them.

use std::fs;

use mt_pool::Blob;

use crate::{
    blobs::{blob, no_blob_is_left},
    prelude::*,
};

/// Takes all descriptors that its process may have, or gives them back.
#[task]
fn takes_all(takes: bool) {
    take_descriptors(takes);
}

fn take_descriptors(takes: bool) {
    static TAKEN: Mutex<Vec<fs::File>> = Mutex::new(Vec::new());
    let mut taken = TAKEN.lock().unwrap();
    taken.clear();
    if takes {
        taken.extend(iter::from_fn(|| fs::File::open("/dev/null").ok()));
    }
}

/// Of every third nothing, of others one.
#[task]
fn makes_some(number: u64) -> Option<Blob> {
    some(number)
}

#[task]
fn takes_some(_: Option<Blob>) {}

/// Blobs that come then are errors of their items, and nothing else is lost.
#[test_with(alone)]
fn without_descriptors_only_what_needs_one_fails() {
    let pool = Pool::builder().processes(1).keep(1).start().unwrap();
    let in_worker = |takes| values(asyn_pmap::<takes_all>([takes]).pool(&pool));
    let items: Vec<_> = (0..9).map(some).collect();
    // Where the worker can open none, where the parent can't, and where all can.
    for full in [Some("worker"), Some("parent"), None] {
        in_worker(full == Some("worker"));
        let in_parent = full == Some("parent");
        // Once it is started, which needs some.
        let pulled = move |number: &u64| {
            if *number == 0 {
                take_descriptors(in_parent);
            }
        };
        let all = items.clone();
        let inputs = (0..9)
            .inspect(pulled)
            .map(move |number| all[number as usize].clone());
        let taken = complete(asyn_pmap::<takes_some>(inputs).pool(&pool), 9).outcomes;
        take_descriptors(false);
        let numbers = (0..9).inspect(pulled);
        let made = complete(asyn_pmap::<makes_some>(numbers).pool(&pool), 9).outcomes;
        take_descriptors(false);
        for number in 0..9 {
            let (taken, made) = (&taken[number], &made[number]);
            let without = number % 3 == 0 || full.is_none();
            assert_eq!(
                taken.is_ok(),
                without || full == Some("parent"),
                "{taken:?}"
            );
            assert_eq!(made.is_ok(), without, "{made:?}");
            if let Err(error) = taken {
                assert_is!(error.kind(), TaskErrorKind::Undecodable(why) if why.contains("ulimit -n"));
            }
            match made.as_ref().map_err(TaskError::kind) {
                Ok(_) => {}
                Err(TaskErrorKind::Panicked { .. }) => assert_eq!(full, Some("worker")),
                Err(other) => {
                    assert_is!(other, TaskErrorKind::Undecodable(why) if why.contains("ulimit -n"));
                }
            }
        }
    }
    drop((pool, items));
    no_blob_is_left();
}

fn some(number: u64) -> Option<Blob> {
    (!number.is_multiple_of(3)).then(|| blob(number, Blob::FILE_BYTES))
}
