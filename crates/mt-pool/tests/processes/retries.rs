//! Errors that are tried again, and items that are given up.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

const BRIEF: Duration = Duration::from_millis(1);

fn at_once<E>(retries: u32) -> Retries<E> {
    Retries::new(retries).pause(BRIEF, BRIEF)
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{self:?}")]
enum Failure {
    /// Not yet: this was so manieth try.
    Passing(u64),
    Lasting,
}

/// Every third item fails twice, every third always.
fn attempt(folder: &Folder, n: u64) -> Result<u64, Failure> {
    let name = format!("tries-{n}");
    folder.note(&name, 1);
    let tries = folder.noted(&name).len() as u64;
    match n % 3 {
        1 if tries <= 2 => Err(Failure::Passing(tries)),
        2 => Err(Failure::Lasting),
        _ => Ok(n),
    }
}

#[task]
fn tries(#[shared] folder: &Folder, n: u64) -> Result<u64, Failure> {
    attempt(folder, n)
}

#[task]
async fn tries_async(#[shared] folder: &Folder, n: u64) -> Result<u64, Failure> {
    tokio::task::yield_now().await;
    attempt(folder, n)
}

/// How thirty items end, and how often each was started.
type Ends = (Vec<Result<u64, Failure>>, Vec<usize>);

/// Plain and async, with one worker and with three, in order and not.
fn every_way(retries: &Retries<Failure>) -> Vec<Ends> {
    fn ends<T>((processes, ordered): (usize, bool), retries: &Retries<Failure>) -> Ends
    where
        T: Task<Input = u64, Shared = Folder, Output = u64, Error = Failure>,
    {
        let folder = Folder::temp();
        let run = asyn_pmap::<T>(0..30).shared(folder.clone());
        let run = run.retries(retries.clone().pause(BRIEF, 4 * BRIEF));
        let report = complete(run.processes(processes).ordered(ordered), 30);
        assert_eq!(report.stats.workers_died, 0);
        let raised = |error: TaskError<Failure>| match error.into_kind() {
            TaskErrorKind::Raised(failure) => failure,
            other => panic!("{other:?}"),
        };
        let outcomes = report.outcomes.into_iter();
        let started = |n| folder.noted(&format!("tries-{n}")).len();
        let outcomes = outcomes.map(|outcome| outcome.map_err(raised));
        (outcomes.collect(), (0..30).map(started).collect())
    }
    let sync = [(1, true), (3, false)].map(|way| ends::<tries>(way, retries));
    let asyn = [(1, true), (3, false)].map(|way| ends::<tries_async>(way, retries));
    sync.into_iter().chain(asyn).collect()
}

/// Case M57: An error is tried again as often as `retries` says.
#[test_with(alone)]
fn what_works_at_the_third_try_needs_two_retries() {
    for retries in 0..4 {
        let most = retries as usize + 1;
        for (outcomes, started) in every_way(&Retries::new(retries)) {
            for n in 0..30 {
                let (expected, count) = match n % 3 {
                    1 if retries >= 2 => (Ok(n as u64), 3),
                    1 => (Err(Failure::Passing(most as u64)), most),
                    2 => (Err(Failure::Lasting), most),
                    _ => (Ok(n as u64), 1),
                };
                assert_eq!((&outcomes[n], started[n]), (&expected, count), "{n}");
            }
        }
    }
}

/// Case M58: Only errors for which `only_if` is true are tried again.
#[test_with(alone)]
fn only_what_is_worth_it_is_tried_again() {
    let passing = |failure: &Failure| matches!(failure, Failure::Passing(_));
    for (outcomes, started) in every_way(&Retries::new(5).only_if(passing)) {
        for n in 0..30 {
            assert_eq!(outcomes[n].is_ok(), n % 3 != 2);
            assert_eq!(started[n], [1, 3, 1][n % 3]);
        }
    }
}

/// Case M150: An error for which `only_if` panics is not tried again.
#[test_with(alone)]
fn a_judge_that_panics_is_for_no_retry() {
    let panics = Retries::new(5).only_if(|failure| panic!("{failure:?}"));
    for (outcomes, started) in every_way(&panics) {
        assert_eq!(started, [1; 30]);
        assert_eq!(outcomes[1], Err(Failure::Passing(1)));
    }
}

/// Fails, dies, and panics; each has its own count.
#[task]
fn has_a_bad_day(#[shared] folder: &Folder, n: u64) -> Result<u64, String> {
    let name = format!("{n}");
    folder.note(&name, 1);
    match (n, folder.noted(&name).len()) {
        (0, 1 | 3) => Err("not yet".into()),
        (0, 2 | 4) => std::process::abort(),
        (1, _) => panic!("never"),
        (2, tries) if tries < 50 => Err("not yet".into()),
        (_, tries) => Ok(tries as u64),
    }
}

/// Case M59: Errors and deaths are counted apart, and a panic is not tried again; an error tells how often its item
/// was tried.
#[test_with(in_folder)]
fn errors_and_deaths_are_counted_apart_and_a_panic_is_neither(folder: Folder) {
    let run = asyn_pmap::<has_a_bad_day>(0..3).shared(folder.clone());
    let run = run.retries(at_once(2)).crash_limit(3);
    // One at a time: what had just finished in a worker that dies is run again.
    let report = complete(run.processes(1).capacity(1), 3);
    assert_eq!(*report.outcomes[0].as_ref().unwrap(), 5);
    assert!(matches!(report.kind(1), TaskErrorKind::Panicked { .. }));
    assert!(matches!(report.kind(2), TaskErrorKind::Raised(_)));
    let tries: Vec<_> = (0..3).map(|n| folder.noted(&n.to_string()).len()).collect();
    assert_eq!(tries, [5, 1, 3]);
    assert_eq!([1, 2].map(|n| report.error(n).attempts()), [1, 3]);
}

#[task]
async fn fails_once(#[shared] folder: &Folder, n: u64) -> Result<u64, String> {
    match folder.first(&n.to_string()) {
        true => Err("not yet".into()),
        false => Ok(n),
    }
}

/// Many at once, most of them in the same pieces.
#[test_with(alone)]
fn everything_fails_once() {
    for ordered in [true, false] {
        let folder = Folder::temp();
        let run = asyn_pmap::<fails_once>(0..600).shared(folder.clone());
        let run = run.retries(at_once(1)).capacity(200);
        let report = complete(run.processes(2).ordered(ordered), 600);
        assert_eq!(report.failed(), [0; 0]);
    }
}

/// Case M151: An error that is tried again does not end a run that fails fast.
#[test_with(in_folder)]
fn an_error_that_is_tried_again_does_not_end_a_run_that_fails_fast(folder: Folder) {
    let run = asyn_pmap::<tries>([0, 1, 3, 4, 2, 6]).shared(folder.clone());
    let run = run.fail_fast().retries(at_once(2)).processes(2);
    let outcomes: Vec<_> = run.start().unwrap().into_iter().collect();
    assert_eq!(outcomes.len(), 5);
    assert!(outcomes[..4].iter().all(Result::is_ok));
    assert_eq!(outcomes[4].as_ref().unwrap_err().index(), 4);
}

/// Case M61: With `keep_items` every item that fails is given back; without, those that no worker has an outcome for.
#[test_with(in_folder)]
fn a_failed_item_is_given_back_if_it_is_to_be_kept(folder: Folder) {
    let deeds = [Deed::Return(0), Deed::Panic("no".into()), Deed::Abort];
    for ordered in [true, false] {
        let run = || asyn_pmap::<act>(deeds.clone()).ordered(ordered);
        let given = |run: AsynPmap<act>| {
            let report = complete(run.crash_limit(2).processes(1).capacity(1), 3);
            [1, 2].map(|n| report.error(n).item::<Deed>().map(Result::unwrap))
        };
        // An outcome that dies unsent with its worker is made again, and such an item is kept anyway.
        let [_, aborted] = given(run());
        assert_eq!(aborted, Some(Deed::Abort));
        let alone = asyn_pmap::<act>(deeds[..2].to_vec()).pool_ordered(ordered);
        let report = complete(alone, 2);
        assert!(report.error(1).item::<Deed>().is_none());
        let kept = given(run().keep_items());
        assert_eq!(kept, [1, 2].map(|n| Some(deeds[n].clone())));
    }
    let run = asyn_pmap::<tries_async>(0..600).shared(folder.clone());
    let report = complete(run.keep_items().retries(at_once(1)), 600);
    for n in report.failed() {
        let error = report.error(n);
        assert_eq!(error.item::<u64>().unwrap().unwrap(), n as u64);
        assert_eq!(error.attempts(), 2);
    }
}

/// Case M62: Dead letters are what was given up, with reason and item, and nothing else.
#[test_with(alone)]
fn dead_letters_are_what_was_given_up_and_nothing_else() {
    let panic = Deed::Panic("no letter".into());
    let deeds = [
        Deed::Return(0),
        Deed::Abort,
        panic,
        Deed::Exit(3),
        Deed::Return(4),
    ];
    let run = asyn_pmap::<act>(deeds.clone()).crash_limit(2);
    let mut run = run.processes(2).start().unwrap().into_iter();
    assert_eq!(run.by_ref().filter(Result::is_ok).count(), 2);
    let dead = run.dead_letters();
    assert_eq!(dead.dropped(), 0);
    let indices: Vec<_> = dead.letters().iter().map(|letter| letter.index()).collect();
    assert_eq!(indices, [1, 3]);
    for (letter, index) in dead.letters().iter().zip([1, 3]) {
        assert_eq!(letter.item::<Deed>().unwrap().unwrap(), deeds[index]);
        assert!(letter.payload().is_some());
        assert!(letter.reason().contains("2 times"), "{}", letter.reason());
    }
    assert!(dead.letters()[1].reason().contains("code 3"));
}

/// Case 31: Items with retries left that a cancelled run has tried are `Cancelled`, with their attempts and themselves.
#[test_with(alone)]
fn what_has_retries_left_is_cancelled_and_not_raised() {
    type Cancel = fn(&mt_pool::Pmap<tries>, &Pool);
    let ways: [Cancel; 2] = [|run, _| run.handle().cancel(), |_, pool| pool.cancel()];
    for (cancel, keep) in ways.into_iter().zip([true, false]) {
        let folder = Folder::temp();
        let pool = Pool::builder().processes(2).start().unwrap();
        let run = asyn_pmap::<tries>((0..40).map(|n| 3 * n + 2)).shared(folder.clone());
        let run = run
            .retries(Retries::new(9).pause(FOR_EVER, FOR_EVER))
            .pool(&pool);
        let run = if keep { run.keep_items() } else { run };
        let run = run.start().unwrap();
        wait_until(|| {
            run.stats()
                .workers
                .iter()
                .map(|w| w.items_finished)
                .sum::<u64>()
                == 40
        });
        cancel(&run, &pool);
        let outcomes: Vec<_> = run.into_iter().collect();
        assert_eq!(outcomes.len(), 40);
        for (outcome, n) in outcomes.iter().zip(0..) {
            let error = outcome.as_ref().unwrap_err();
            assert_is!(error.kind(), TaskErrorKind::Cancelled);
            assert_eq!((error.index(), error.attempts()), (n, 1));
            assert_eq!(error.item::<u64>().unwrap().unwrap(), 3 * n + 2);
        }
    }
}
