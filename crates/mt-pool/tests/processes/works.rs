//! Works by number whose workers die, hang, are interrupted, or never come up: none is lost silently.

use futures::StreamExt;
use mt_pool::{
    Context,
    works::{
        AsynWorkGenerator, Progress, asyn_work_generator, progress_queue, run_asyn_works_in_context,
    },
};

use crate::prelude::*;

type Deeds = BTreeMap<u64, Deed>;

/// Does what is written for it; otherwise returns its number.
#[task]
async fn work(#[shared] deeds: &Deeds, id: u64) -> u64 {
    tokio::task::yield_now().await;
    match deeds.get(&id) {
        Some(deed) => deed.clone().act(),
        None => id,
    }
}

#[task]
async fn stuck_at(#[shared] stuck: &BTreeSet<u64>, id: u64) -> u64 {
    if stuck.contains(&id) {
        std::future::pending::<()>().await;
    }
    id
}

/// The result of work 3 does not cross.
#[task]
async fn fussy(id: u64) -> Even {
    Even(if id == 3 { id } else { 2 * id })
}

/// A context by the name of a profile.
struct Profile;

impl Context for Profile {
    type Config = String;
    type Error = String;

    async fn open(name: &String) -> Result<Self, String> {
        let there_is = name == "default";
        there_is
            .then_some(Self)
            .ok_or_else(|| format!("there is no profile {name}"))
    }
}

#[task]
async fn with_profile(#[context] _profile: &Profile, id: u64) -> u64 {
    id
}

/// What became of every work, by number: each has exactly one outcome.
type Outcomes<T> = BTreeMap<u64, Result<<T as Task>::Output, TaskError<<T as Task>::Error>>>;

fn complete<T: Task<Input = u64>>(generator: AsynWorkGenerator<T>) -> Outcomes<T> {
    let mut by_id = BTreeMap::new();
    for (id, outcome) in generator.processes(2).start().unwrap() {
        let told = outcome.as_ref().err().map_or(id, TaskError::index);
        assert_eq!(told, id, "an error knows its work");
        assert!(by_id.insert(id, outcome).is_none(), "one outcome each");
    }
    by_id
}

/// The only works without a value, out of so many, and why.
#[track_caller]
fn failures<T: Task<Input = u64>>(
    works: u64,
    generator: AsynWorkGenerator<T>,
) -> BTreeMap<u64, TaskErrorKind<T::Error>> {
    let outcomes = complete(generator);
    let ids = outcomes.keys().copied();
    assert!(ids.eq(0..works), "every work has an outcome");
    let failed = outcomes.into_iter();
    let failed = failed.filter_map(|(id, outcome)| Some((id, outcome.err()?.into_kind())));
    failed.collect()
}

/// The works that crash, out of so many, when these deeds are done; all others have a value.
fn crashed<const N: usize>(works: u64, deeds: [(u64, Deed); N]) -> Vec<u64> {
    let failed = failures(
        works,
        asyn_work_generator::<work>(works).shared(deeds.into()),
    );
    for kind in failed.values() {
        assert_is!(kind, TaskErrorKind::Crashed { .. });
    }
    failed.into_keys().collect()
}

#[test_with(alone)]
fn a_work_that_kills_its_worker() {
    let deeds = [
        (7, Deed::Signal(9)),
        (500, Deed::Abort),
        (501, Deed::Exit(0)),
    ];
    assert_eq!(crashed(1000, deeds), [7, 500, 501]);
}

#[test_with(
    alone,
    not_on(windows, "there is no signal that one process sends to another")
)]
fn a_work_that_interrupts_its_worker() {
    let crashed = crashed(100, [(7, Deed::Signal(2)), (8, Deed::Signal(15))]);
    assert!(crashed.iter().all(|id| [7, 8].contains(id)), "{crashed:?}");
}

#[test_with(alone)]
fn a_result_that_does_not_cross() {
    let failed = failures(100, asyn_work_generator::<fussy>(100));
    assert!(matches!(failed[&3], TaskErrorKind::Unserialisable(_)));
    assert_eq!(failed.len(), 1);
}

#[test_with(alone)]
fn a_profile_that_is_not_there() {
    let (progress, messages) = progress_queue(100_000);
    let generator = asyn_work_generator::<with_profile>(5000).context("nobody".into());
    let failed = failures(5000, generator.progress_queue(progress));
    assert_eq!(failed.len(), 5000);
    let named = |kind: &_| matches!(kind, TaskErrorKind::Context { message, .. } if message.contains("nobody"));
    assert!(failed.values().all(named));
    let told = messages.into_iter().filter(|message| {
        matches!(message, Progress::ContextRaised { error, .. } if error.contains("nobody"))
    });
    assert!(told.count() >= 4, "tried again after every 1024 works");
}

/// Runs works of which these never end, to the verdict; returns all there were. On a busy machine workers may need
/// longer to come up than the timeout is; then a longer one is tried.
fn with_stuck(
    stuck: &[u64],
    describe: impl Fn(AsynWorkGenerator<stuck_at>) -> AsynWorkGenerator<stuck_at>,
) -> Vec<u64> {
    for limit in [300, 1500, 6000, 30_000].map(Duration::from_millis) {
        let generator =
            asyn_work_generator::<stuck_at>(100).shared(stuck.iter().copied().collect());
        let outcomes = complete(describe(generator).timeout(limit));
        let failed = outcomes.iter().filter_map(|(id, outcome)| {
            let error = outcome.as_ref().err()?;
            let text = error.to_string();
            assert!(text.contains("no worker had said anything"), "{text}");
            let is_silent = |kind: &_| matches!(kind, TaskErrorKind::Silent { limit: after } if *after == limit);
            assert!(is_silent(error.kind()), "{text}");
            Some(id)
        });
        if failed.eq(stuck) {
            return outcomes.into_keys().collect();
        }
    }
    panic!("too slow");
}

/// Case M117: Works that never end are `Silent` after the timeout, and no others.
#[test_with(alone)]
fn works_that_never_end_are_named() {
    for processes in [1, 2] {
        let describe = |generator: AsynWorkGenerator<_>| {
            generator.configure(move |run| run.processes(processes))
        };
        assert_eq!(with_stuck(&[3, 50, 51], describe).len(), 100);
    }
}

#[test_with(alone)]
fn works_of_a_list_that_never_end_are_named_by_their_numbers() {
    let all = with_stuck(&[3, 7], |generator| {
        generator.work_id_list([1000, 3, 2000, 7])
    });
    assert_eq!(all, [3, 7, 1000, 2000]);
}

#[test_with(alone)]
fn no_worker_can_be_had() {
    // Far more than are on the way at once.
    let works = 200_000;
    let nowhere = WorkerOptions::new().program("/nowhere/at/all");
    let generator = asyn_work_generator::<fussy>(works);
    let failed = failures(works, generator.configure(|run| run.workers(nowhere)));
    assert_eq!(failed.len() as u64, works);
    let mut kinds = failed.values();
    assert!(kinds.all(|kind| matches!(kind, TaskErrorKind::Pool(_))));
}

#[test_with(alone)]
fn dropped_in_the_middle_it_leaves_nothing() {
    let generator = asyn_work_generator::<stuck_at>(1000).shared((500..1000).collect());
    let mut works = generator.processes(2).start().unwrap().into_iter();
    assert_eq!(works.by_ref().take(100).count(), 100);
    assert!(!children().is_empty());
    drop(works);
    wait_until(|| children().is_empty());
}

/// Case M118: Ctrl-C cancels the works that were not started; a progress queue that nobody reads holds up nothing.
#[test_with(alone)]
fn interrupted_it_cancels_what_was_not_started() {
    let works = 1_000_000;
    let (progress, messages) = progress_queue(1);
    let generator = asyn_work_generator::<fussy>(works).progress_queue(progress);
    let mut run = generator.processes(2).start().unwrap().into_iter();
    let (mut returned, mut cancelled) = (0_u64, 0_u64);
    for (id, outcome) in run.by_ref() {
        match outcome {
            Ok(_) => returned += 1,
            Err(error) if matches!(error.kind(), TaskErrorKind::Cancelled) => cancelled += 1,
            Err(_) => assert_eq!(id, 3),
        }
        if returned == 100 {
            signal(std::process::id(), Signal::INT);
        }
    }
    assert_eq!(returned + cancelled + 1, works);
    assert!(cancelled > 0 && run.stats().interrupted);
    drop(run);
    assert!(
        messages.missed() > 0,
        "a queue that nobody reads holds up nothing"
    );
}

#[test_with(alone)]
fn ended_by_its_handle_it_cancels_the_rest() {
    for works in [100, 1_000_000] {
        let generator = asyn_work_generator::<stuck_at>(works).shared([50].into());
        let mut run = generator.processes(1).start().unwrap();
        let handle = run.handle().unwrap();
        let mut count = 0;
        while let Some((_, outcome)) = futures::executor::block_on(run.next()) {
            count += 1;
            if let Err(error) = outcome {
                assert!(matches!(error.kind(), TaskErrorKind::Cancelled), "{error}");
                continue;
            }
            if count == 50 {
                handle.cancel();
            }
        }
        assert_eq!(count, works);
        assert!(run.handle().is_none());
    }
}

#[test_with(alone)]
fn the_death_of_a_worker_is_the_end_of_its_context() {
    let (progress, messages) = progress_queue(10_000);
    let generator = asyn_work_generator::<work>(300).shared(Deeds::from([(150, Deed::Abort)]));
    let generator = generator.progress_queue(progress);
    complete(generator.configure(|run| run.crash_limit(1)));
    assert_eq!(messages.missed(), 0);
    let mut open = BTreeMap::new();
    let (mut raised, mut done) = (Vec::new(), 0);
    for message in messages.into_iter() {
        let context = message.context_id();
        match message {
            Progress::ContextCreated { context_id } => {
                let before = open.insert(context_id, true);
                assert_eq!(before, None, "a number of its own");
            }
            Progress::TaskScheduled { .. } => assert!(open[&context.unwrap()]),
            Progress::ContextRaised { context_id, error } => raised.push((context_id, error)),
            Progress::ContextDestroyed { context_id } => {
                assert_eq!(open.insert(context_id, false), Some(true), "once");
            }
            Progress::TaskReturned { .. } => {
                assert!(open.contains_key(&context.unwrap()));
                done += 1;
            }
            // Its worker may have died before it could say that its context is open.
            Progress::TaskRaised { .. } => {
                let context = context.unwrap();
                assert!(open.contains_key(&context) || raised[0].0 == context);
                done += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(done, 300);
    assert!(open.values().all(|open| !open), "all are closed");
    assert_eq!(raised.len(), 1);
    assert!(raised[0].1.contains("signal"), "{raised:?}");
}

#[test_with(alone)]
fn works_of_this_process_are_interrupted_too() {
    let (progress, mut messages) = progress_queue(1);
    let works = run_asyn_works_in_context::<fussy>(progress).work_id_list(0..100_000);
    let works = works.max_concurrency(10);
    let watch = async {
        let (mut returned, mut cancelled) = (0, 0);
        while let Some(message) = messages.next().await {
            match message {
                Progress::TaskReturned { .. } => returned += 1,
                Progress::TaskCancelled { .. } => cancelled += 1,
                _ => {}
            }
            if returned == 50 {
                signal(std::process::id(), Signal::INT);
                returned += 1;
            }
        }
        (returned - 1, cancelled)
    };
    let run = async { futures::join!(works.run(), watch) };
    let (counts, (returned, cancelled)) = futures::executor::block_on(run);
    let counts = counts.unwrap();
    assert_eq!((counts.returned, counts.cancelled), (returned, cancelled));
    assert_eq!(returned + cancelled, 100_000);
    assert!(cancelled > 0);
}

#[test_with(alone)]
fn on_any_executor_and_as_a_stream() {
    let start = || {
        let works = asyn_work_generator::<with_profile>(100);
        works.context("default".into()).start().unwrap()
    };
    assert_eq!(futures::executor::block_on(start().count()), 100);
    assert_eq!(block_on(start().count()), 100);
    assert_eq!(block_on(async { start().into_iter().count() }), 100);
}
