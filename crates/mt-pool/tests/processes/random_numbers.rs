//! Random numbers that depend on the seed and the item, and on nothing else.

use mt_pool::{task_index, task_rng};
use rand::Rng;

use crate::prelude::*;

const ITEMS: u64 = 60;

/// Three numbers, and then the first again.
fn draw() -> [u64; 4] {
    let mut rng = task_rng();
    let numbers = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
    [numbers[0], numbers[1], numbers[2], task_rng().next_u64()]
}

#[task]
fn numbers(_: u64) -> [u64; 4] {
    draw()
}

/// Others draw between the draws of one.
#[task]
async fn numbers_async(n: u64) -> [u64; 4] {
    let mut rng = task_rng();
    let mut numbers = [0; 4];
    for number in &mut numbers[..3] {
        *number = rng.next_u64();
        tokio::time::sleep(Duration::from_micros(n % 7 * 100)).await; // work: waits as a task would
    }
    numbers[3] = task_rng().next_u64();
    numbers
}

/// The first try of some items ends badly, after they have drawn.
#[task]
fn numbers_at_last(#[shared] folder: &Folder, n: u64) -> Result<[u64; 4], String> {
    let numbers = draw();
    if n.is_multiple_of(5) && folder.first(&n.to_string()) {
        match n % 3 {
            0 => std::process::abort(),
            1 => return Err("not yet".into()),
            _ => std::thread::sleep(FOR_EVER), // work: never gets anywhere
        }
    }
    Ok(numbers)
}

fn values<T: Task<Output = [u64; 4], Error: Debug>>(run: AsynPmap<T>, seed: u64) -> Vec<[u64; 4]> {
    complete(run.seed(seed), ITEMS).values()
}

/// Case M73: `task_rng` draws the same for the same seed and item, whoever draws and however often.
#[test_with(in_folder)]
fn the_same_whoever_draws_and_how_often(folder: Folder) {
    let first = values(asyn_pmap::<numbers>(0..ITEMS).processes(1), 7);
    let distinct: BTreeSet<u64> = first.iter().map(|numbers| numbers[0]).collect();
    assert_eq!(distinct.len() as u64, ITEMS, "each item has its own");
    for [a, b, _, again] in &first {
        assert!(a != b && a == again);
    }
    for (processes, ordered) in [(4, true), (16, false)] {
        let run = asyn_pmap::<numbers>(0..ITEMS).processes(processes);
        assert_eq!(values(run.ordered(ordered), 7), first);
        let run = asyn_pmap::<numbers_async>(0..ITEMS).processes(processes);
        assert_eq!(values(run.ordered(ordered), 7), first);
    }
    let run = asyn_pmap::<numbers>(0..ITEMS).recycle(Recycle::new().after_items(3));
    assert_eq!(values(run.processes(2), 7), first);
    let run = asyn_pmap::<numbers_at_last>(0..ITEMS).shared(folder.clone());
    let run = run.retries(1).deadlines(hard(Duration::from_millis(500)));
    // Those that run past it are given up; they had drawn the same.
    let report = complete(run.processes(3).seed(7), ITEMS);
    for (index, outcome) in report.outcomes.iter().enumerate() {
        let late = index % 5 == 0 && index % 3 == 2;
        let is_right = outcome.as_ref().map(|numbers| *numbers == first[index]);
        assert!(is_right.unwrap_or(late));
    }
    assert_ne!(values(asyn_pmap::<numbers>(0..ITEMS), 8), first);
}

/// Case M74: A seed that was chosen is told and can be used again; outside of a call numbers differ.
#[test_with(alone)]
fn a_seed_that_was_chosen_is_told_and_can_be_used_again() {
    let run = asyn_pmap::<numbers>(0..ITEMS).processes(2).start().unwrap();
    let seed = run.seed();
    let first: Vec<_> = run.into_iter().map(Result::unwrap).collect();
    assert_eq!(values(asyn_pmap::<numbers>(0..ITEMS), seed), first);
    let other = asyn_pmap::<numbers>(0..1).start().unwrap();
    assert_ne!(other.seed(), seed);
    assert_eq!(task_index(), None);
    let [a, b] = [(); 2].map(|()| task_rng().next_u64());
    assert_ne!(a, b, "outside of a call");
}
