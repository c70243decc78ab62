//! Stats, events and progress of runs whose workers are real.

use std::cmp::Reverse;

use futures::StreamExt;
use mt_pool::{
    from_stream,
    stats::{RunProgress, WorkerState},
};

use crate::prelude::*;

/// Lets nobody run before.
#[task]
async fn act_at_once(deed: Deed) -> u64 {
    deed.act_async().await
}

const SLOW: Duration = Duration::from_millis(60);

/// Slow items far apart among very many quick ones: they are among the slowest; a quick one may be too, if
/// the machine was elsewhere meanwhile.
fn slow_ones_are_found<T: Task<Input = Deed>>(processes: usize) {
    let mut jobs: Vec<Deed> = (0..50_000).map(Deed::Return).collect();
    for n in 1..=4_u32 {
        jobs[10_000 * n as usize] = Deed::Sleep(SLOW * n);
    }
    let run = asyn_pmap::<T>(jobs).processes(processes);
    let mut run = run.start().unwrap().into_iter();
    assert_eq!(run.by_ref().filter(Result::is_ok).count(), 50_000);
    let stats = run.stats();
    for n in 1..=4 {
        assert!(is_found(&stats, 10_000 * n as usize, SLOW * n), "{stats:?}");
    }
    assert!(stats.slowest.is_sorted_by_key(|slow| Reverse(slow.time)));
    assert!(stats.slowest.len() <= Stats::SLOWEST);
}

/// Whether an item is told of as one that took so long.
fn is_found(stats: &Stats, item: usize, time: Duration) -> bool {
    let mut slowest = stats.slowest.iter();
    slowest.any(|slow| slow.item == item as u64 && slow.time >= time)
}

/// Case R37: The slowest items are told with their times, the slowest first.
#[test_with(alone)]
fn the_slowest_items_are_found_among_many_quick_ones() {
    for processes in [1, 3] {
        slow_ones_are_found::<act>(processes);
        slow_ones_are_found::<act_at_once>(processes);
    }
}

/// A shared worker tells each run its own slowest items.
#[test_with(alone)]
fn the_slowest_items_are_those_of_the_run() {
    let pool = Pool::builder().processes(1).start().unwrap();
    for slow in [5, 1] {
        let mut jobs = [(); 10].map(|()| Deed::Return(0)).to_vec();
        jobs[slow] = Deed::Sleep(SLOW);
        let run = asyn_pmap::<act>(jobs).pool(&pool).start().unwrap();
        let mut run = run.into_iter();
        assert_eq!(run.by_ref().count(), 10);
        let stats = run.stats();
        assert!(is_found(&stats, slow, SLOW), "{stats:?}");
        assert!(!is_found(&stats, 6 - slow, SLOW), "{stats:?}");
        let workers = stats.workers.iter();
        let counts = workers.map(|w| (w.items_given, w.items_started));
        assert_eq!(counts.max(), Some((10, 10)));
    }
    assert_eq!(pool.workers(), 1);
}

/// Case R36: A snapshot tells what every worker does, what it was given and has done, and what it has spent its time
/// on.
#[test_with(in_folder)]
fn a_worker_s_life_is_told(folder: Folder) {
    let deeds = [Deed::Sleep(SLOW), Deed::Wait(folder.file("go"))];
    let (more, later) = sync_channel(1);
    let later = iter::once_with(move || later.recv().unwrap());
    let run = asyn_pmap::<act>(deeds.into_iter().chain(later)).processes(1);
    let run = run.start().unwrap();
    let handle = run.handle();
    let worker = || handle.stats().workers.first().cloned();
    wait_until(|| worker().is_some_and(|worker| worker.items_started == 2));
    let working = worker().unwrap();
    assert_eq!(working.state, WorkerState::Working);
    assert!(working.rss_bytes.unwrap() > 0 && working.pid.is_some());
    assert!(folder.first("go"));
    let worker = || worker().unwrap();
    wait_until(|| worker().state == WorkerState::Waiting);
    let waits = worker().times.wait;
    wait_until(|| worker().times.wait > waits + SLOW);
    more.send(Deed::Sleep(SLOW)).unwrap();
    assert_eq!(run.into_iter().filter(Result::is_ok).count(), 3);
    let stats = handle.stats();
    let [worker] = &stats.workers[..] else {
        panic!("{stats:?}");
    };
    assert_eq!(worker.state, WorkerState::Gone);
    assert_eq!(worker.rss_bytes, None);
    let times = worker.times;
    assert!(times.work >= 2 * SLOW && times.wait >= SLOW);
    assert!(!times.start.is_zero() && !times.init.is_zero() && !times.exit.is_zero());
    assert_eq!((worker.items_given, worker.items_started), (3, 3));
    assert_eq!((worker.items_finished, stats.pulled), (3, 3));
    assert_eq!((stats.outstanding, stats.succeeded), (0, 3));
}

/// Case M80: Deaths are counted by their cause.
#[test_with(alone)]
fn deaths_are_counted_by_their_cause() {
    let deeds = [Deed::Abort, Deed::Garble(vec![0xff; 64]), Deed::Return(1)];
    let run = asyn_pmap::<act>(deeds).processes(1).crash_limit(2);
    let mut run = run.start().unwrap().into_iter();
    assert_eq!(run.by_ref().filter(Result::is_err).count(), 2);
    let stats = run.stats();
    assert_eq!(stats.deaths.by_themselves, 2);
    assert_eq!(stats.deaths.broke_protocol, 2);
    assert_eq!(stats.workers_died, 4);
    let workers = stats.workers.iter();
    let gone = workers.filter(|worker| worker.state == WorkerState::Gone);
    assert_eq!(gone.count() as u64, stats.workers_started);
}

/// How each worker's events follow each other.
fn story(events: impl Iterator<Item = PoolEvent>) -> String {
    let word = |event| match event {
        PoolEvent::WorkerStarted { worker, .. } => format!("{worker} started"),
        PoolEvent::WorkerReady { worker } => format!("{worker} ready"),
        PoolEvent::WorkerDied { worker, .. } => format!("{worker} died"),
        PoolEvent::WorkerLeft { worker, .. } => format!("{worker} left"),
        other => panic!("{other:?}"),
    };
    events.map(word).collect::<Vec<_>>().join(", ")
}

const STORY: &str = "0 started, 0 ready, 0 died, 1 started, 1 ready, 1 left";

/// Case R39: Events come as a stream and as an iterator, to every reader from the start of the run on, and every
/// observer is called.
#[test_with(alone)]
fn events_are_there_from_the_start_for_every_reader() {
    let deeds = [Deed::Abort, Deed::Return(1)];
    let run = asyn_pmap::<act>(deeds).processes(1).crash_limit(1);
    let observed = Arc::new([const { AtomicU64::new(0) }; 2]);
    let count = |who: usize| {
        let observed = Arc::clone(&observed);
        move |_: &PoolEvent| {
            observed[who].fetch_add(1, Ordering::Relaxed);
        }
    };
    let run = run.observe(count(0)).observe(count(1)).start().unwrap();
    let handle = run.handle();
    let early = run.events();
    let reader = thread::spawn(|| story(early.into_iter()));
    assert_eq!(run.into_iter().count(), 2);
    // In another thread while it ran, and afterwards.
    assert_eq!(reader.join().unwrap(), STORY);
    assert_eq!(story(handle.events().into_iter()), STORY);
    let mut late = handle.events();
    let count = block_on(StreamExt::by_ref(&mut late).count());
    assert_eq!((count, late.missed()), (6, 0));
    let observed = [0, 1].map(|who| observed[who].load(Ordering::Relaxed));
    assert!(
        observed[0] > 6 && observed[0] == observed[1],
        "{observed:?}"
    );
}

/// More deaths than events are kept, and nobody reads: they are counted.
///
/// Case M81: The last 512 events are kept, and the last 256 workers that are gone; a late reader is told what it
/// missed.
#[test_with(alone)]
fn events_nobody_reads_are_bounded() {
    let run = asyn_pmap::<act>(vec![Deed::Exit(1); 220]).processes(4);
    let run = run.crash_limit(1).start().unwrap();
    let handle = run.handle();
    assert_eq!(run.into_iter().count(), 220);
    let mut events = handle.events().into_iter();
    let read = events.by_ref().count() as u64;
    let stats = handle.stats();
    assert_eq!(stats.deaths.by_themselves, 220);
    assert_eq!(read, 512);
    // Three for every worker: started, ready, died or left.
    assert!(events.missed() + read >= 3 * 220);
    let kept = Stats::GONE_WORKERS.min(stats.workers_started as usize);
    assert_eq!(stats.workers.len(), kept);
}

#[test_with(alone)]
fn events_of_a_run_that_is_dropped_end() {
    let run = asyn_pmap::<act>((0..).map(Deed::Return)).processes(1);
    let run = run.capacity(4).start().unwrap();
    let events = run.events();
    drop(run);
    events.into_iter().for_each(drop);
}

/// Case R38: Progress has the total, the rate and the time left, and can be seen from other threads.
#[test_with(in_folder)]
fn progress_is_seen_from_another_thread(folder: Folder) {
    let gates = ["0", "1", "2"];
    let waits = gates.map(|gate| Deed::Wait(folder.file(gate)));
    let run = asyn_pmap::<act>(waits).processes(1).start().unwrap();
    let handle = run.handle();
    let first = handle.progress();
    assert_eq!((first.done, first.total), (0, Some(3)));
    assert_eq!((first.fraction(), first.eta()), (Some(0.0), None));
    let consumer = thread::spawn(move || run.into_iter().count());
    for (gate, done) in gates.iter().zip(1..) {
        assert!(folder.first(gate));
        wait_until(|| handle.progress().done == done);
    }
    assert_eq!(consumer.join().unwrap(), 3);
    let last = handle.progress();
    assert_eq!((last.done, last.failed, last.total), (3, 0, Some(3)));
    assert_eq!(last.eta(), Some(Duration::ZERO));
    assert!(last.rate > 0.0 && last.elapsed > Duration::ZERO);
}

/// What was told while the outcomes were taken.
fn told(run: AsynPmap<act>, take: usize) -> Vec<RunProgress> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let run = run.processes(1).start().unwrap();
    let run = run.on_progress(move |progress| heard.lock().unwrap().push(*progress));
    run.into_iter().take(take).for_each(drop);
    std::mem::take(&mut *told.lock().unwrap())
}

/// Case M77: `on_progress` is called at once, in order, and once when the run is over.
#[test_with(alone)]
fn progress_is_told_at_once_and_up_to_the_end() {
    let deeds = |count| (0..count).map(Deed::Return);
    let all = told(asyn_pmap(deeds(10_000)), usize::MAX);
    assert_eq!((all[0].done, all[0].is_over), (0, false));
    assert!(all.is_sorted_by_key(|progress| progress.done));
    let last = all.last().unwrap();
    assert_eq!((last.done, last.total), (10_000, Some(10_000)));
    assert!(last.is_over);
    assert_eq!(all.iter().filter(|progress| progress.is_over).count(), 1);
    // Nobody waits for the end of this one, and the first error is the end of that one.
    let some = told(asyn_pmap(deeds(u64::MAX)), 10);
    assert!(some.iter().all(|progress| !progress.is_over));
    let deeds = [Deed::Return(0), Deed::Panic("no".into()), Deed::Return(2)];
    let few = told(asyn_pmap(deeds).fail_fast(), usize::MAX);
    let last = few.last().unwrap();
    assert_eq!((last.done, last.failed, last.is_over), (2, 1, true));
    let none = told(asyn_pmap([]), usize::MAX);
    assert_eq!(none.last().unwrap().total, Some(0));
}

/// Case M76: The total is what the input knows, what was said, and in the end what came.
#[test_with(alone)]
fn the_total_is_what_is_known_of_the_input() {
    let total = |run: AsynPmap<act>| {
        let run = run.processes(1).capacity(2).start().unwrap();
        let before = run.progress().total;
        let handle = run.handle();
        run.into_iter().for_each(drop);
        (before, handle.progress().total)
    };
    let unknown = || (0..5).filter(|n| n % 2 == 0).map(Deed::Return);
    assert_eq!(total(asyn_pmap(unknown())), (None, Some(3)));
    assert_eq!(total(asyn_pmap(unknown()).total(4)), (Some(4), Some(3)));
    let stream = futures::stream::iter((0..3).map(Deed::Return));
    assert_eq!(total(asyn_pmap(from_stream(stream))), (Some(3), Some(3)));
    // One that is wrong about itself.
    struct Liar<I>(I);
    impl<I: Iterator> Iterator for Liar<I> {
        type Item = I::Item;
        fn next(&mut self) -> Option<I::Item> {
            self.0.next()
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (1, Some(1))
        }
    }
    let liar = Liar((0..4).map(Deed::Return));
    assert_eq!(total(asyn_pmap(liar)).1, Some(4));
}
