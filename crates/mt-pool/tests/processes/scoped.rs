//! Runs in a scope: their input borrows, and is let go of before the scope returns.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::AtomicBool,
        mpsc::{Receiver, Sender, channel},
    },
};

use mt_pool::{Pmap, inline_task, input::RunInput, scope};

use crate::prelude::*;

#[task]
fn length(text: String) -> usize {
    text.len()
}

#[task]
fn sum(numbers: Vec<f64>) -> f64 {
    numbers.iter().sum()
}

#[task]
fn first_byte(bytes: Vec<u8>) -> Option<u8> {
    bytes.first().copied()
}

#[task]
async fn both(text: String, n: u64) -> String {
    format!("{text} {n}")
}

fn texts() -> Vec<String> {
    (0..3000).map(|n| "x".repeat(n % 100)).collect()
}

/// Case M234: In a scope items may be references to the task's, text for a `String`, slices for a `Vec`; outcomes are right
/// and in order.
#[test_with(alone)]
fn what_is_borrowed_arrives_as_what_the_task_takes() {
    let texts = texts();
    let lengths: Vec<_> = texts.iter().map(String::len).collect();
    let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
    let sums: Vec<f64> = numbers.chunks(7).map(|some| some.iter().sum()).collect();
    let page = texts[..50].join("\n");
    scope(|s| {
        assert_eq!(values(s.asyn_pmap::<length>(&texts)), lengths);
        let shorter = texts
            .iter()
            .filter(|text| text.len() < 50)
            .map(|text| &text[..]);
        assert_eq!(values(s.asyn_pmap::<length>(shorter)).len(), 1500);
        assert_eq!(values(s.asyn_pmap::<length>(page.lines())), lengths[..50]);
        assert_eq!(values(s.asyn_pmap::<sum>(numbers.chunks(7))), sums);
        let lines = page.lines().map(str::as_bytes);
        let firsts = values(s.asyn_pmap::<first_byte>(lines));
        assert!(
            firsts
                .into_iter()
                .eq(page.lines().map(|line| line.bytes().next()))
        );
        let pairs = texts.iter().zip(0..).map(|(text, n)| (text.clone(), n));
        let joined = values(s.asyn_pmap::<both>(pairs).processes(2));
        assert_eq!(joined[2999], format!("{} 2999", texts[2999]));
        let next = inline_task!(|n: u32| -> u32 { n + 1 });
        assert_eq!(values(s.asyn_pmap_with(next, 0..3)), [1, 2, 3]);
    });
}

/// Case M235: In a scope every option works as outside of it.
#[test_with(alone)]
fn options_are_those_of_any_run() {
    let pool = Pool::builder().processes(2).start().unwrap();
    let deeds = [Deed::Return(0), Deed::Never, Deed::Return(2)];
    let numbers: Vec<u64> = (0..3000).collect();
    scope(|s| {
        let run = s.asyn_pmap::<act>(&deeds).processes(2).ordered(false);
        let report = complete(run.deadlines(hard(Duration::from_millis(100))), 3);
        report.lost_only(&[1]);
        assert_is!(report.kind(1), TaskErrorKind::TimedOut { .. });
        assert_eq!(
            values(s.asyn_pmap::<double>(&numbers).pool(&pool)).len(),
            3000
        );
        assert_eq!(pool.workers(), 2);
        let run = s.asyn_pmap::<double>(&numbers).start().unwrap();
        assert_eq!(run.progress().total, Some(3000));
        let handle = run.handle();
        let (taken, last) = thread::scope(|threads| {
            let consumer =
                threads.spawn(|| run.into_iter().map(Result::unwrap).collect::<Vec<_>>());
            let taken = consumer.join().unwrap();
            (taken.len(), taken[2999])
        });
        assert_eq!((taken, last, handle.stats().succeeded), (3000, 5998, 3000));
        assert_eq!(
            refused(s.asyn_pmap::<double>(&numbers).processes(0).start()).0,
            "processes"
        );
    });
}

/// Case M236: In a scope a worker's death loses one item, as in any run.
#[test_with(alone)]
fn a_death_loses_one_item() {
    let mut deeds: Vec<_> = (0..100).map(Deed::Return).collect();
    deeds[42] = Deed::Abort;
    let report = scope(|s| complete(s.asyn_pmap::<act>(&deeds).processes(2), 100));
    report.lost_only(&[42]);
    assert_eq!(report.crash(42).1, 3);
}

#[test_with(alone)]
fn an_input_that_panics() {
    let texts = texts();
    let report = scope(|s| {
        let input = texts
            .iter()
            .inspect(|text| assert_ne!(text.len(), 5, "no more"));
        complete(s.asyn_pmap::<length>(input), 6)
    });
    assert_eq!(report.failed(), [5]);
    assert_is!(report.kind(5), TaskErrorKind::InputPanicked(why) if why.contains("no more"));
}

/// Endless numbers of which somebody is told when they are dropped, which takes its time.
struct Numbers<'a> {
    next: u64,
    is_gone: &'a AtomicBool,
}

impl Iterator for Numbers<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.next += 1;
        Some(self.next - 1)
    }
}

impl Drop for Numbers<'_> {
    fn drop(&mut self) {
        // work: whoever did not wait for this would be past it.
        thread::sleep(Duration::from_millis(30));
        self.is_gone.store(true, Ordering::SeqCst);
    }
}

type Part = fn(Pmap<double, RunInput<'_>>);

/// Parts of a scope that end its run or leave that to it, and those that forget it.
const ENDS: [Part; 3] = [
    |run| drop(run),
    |run| run.handle().cancel(),
    |run| {
        assert_eq!(
            run.into_iter().take(5000).filter(Result::is_ok).count(),
            5000
        )
    },
];
const FORGETS: [Part; 3] = [
    |run| mem::forget(run),
    |run| {
        let mut run = run.into_iter();
        run.next().unwrap().unwrap();
        mem::forget(run);
    },
    |run| {
        mem::forget(run);
        panic!("over");
    },
];

/// Case M237: A scope returns when every input was let go of, also if its run was dropped, forgotten or cancelled, or the
/// scope panics; its runs end with it.
#[test_with(alone)]
fn a_scope_waits_for_its_inputs() {
    let pool = Pool::builder().processes(2).start().unwrap();
    ENDS.into_iter()
        .for_each(|part| in_a_scope(part, |run| run.pool(&pool)));
    pool.shutdown_blocking(Duration::ZERO);
    for part in ENDS.into_iter().chain(FORGETS) {
        in_a_scope(part, |run| run);
        wait_until(|| children().is_empty());
    }
}

fn in_a_scope(
    part: Part,
    option: impl FnOnce(AsynPmap<double, RunInput<'_>>) -> AsynPmap<double, RunInput<'_>>,
) {
    let is_gone = AtomicBool::new(false);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        scope(|s| {
            let (next, is_gone) = (0, &is_gone);
            let run = option(s.asyn_pmap::<double>(Numbers { next, is_gone }));
            part(run.capacity(100).start().unwrap());
        });
    }));
    assert!(is_gone.load(Ordering::SeqCst));
    if let Err(panic) = ended {
        assert_eq!(panic.downcast_ref(), Some(&"over"));
    }
}

/// Case M238: A scope waits for an input that blocks, and outcomes do not.
#[test_with(alone)]
fn an_input_that_blocks_is_waited_for() {
    let asked = AtomicBool::new(false);
    let blocks = |go_on: Receiver<u64>| {
        let asked = &asked;
        iter::from_fn(move || {
            asked.store(true, Ordering::SeqCst);
            let next = go_on.recv().ok();
            asked.store(false, Ordering::SeqCst);
            next
        })
    };
    scope(|s| {
        let (put, taken): (Sender<u64>, _) = channel();
        let mut run = s
            .asyn_pmap::<double>(blocks(taken))
            .start()
            .unwrap()
            .into_iter();
        put.send(4).unwrap();
        assert_eq!(run.next().unwrap().unwrap(), 8);
        drop(run);
        wait_until(|| asked.load(Ordering::SeqCst));
    });
    assert!(!asked.load(Ordering::SeqCst));
}

/// The run that an input starts may come before the end of the scope or after it.
#[test_with(alone)]
fn a_run_that_an_input_starts_ends_with_the_scope() {
    for late in [false, true] {
        scope(|s| {
            let (put, taken) = channel::<()>();
            let mut inner = Some(s.asyn_pmap::<double>(0..).processes(1));
            let input = iter::from_fn(move || {
                if late {
                    assert!(taken.recv().is_err());
                }
                let run = inner.take()?.start().unwrap();
                Some(run.into_iter().count() as u64)
            });
            mem::forget(s.asyn_pmap::<double>(input).start().unwrap());
            drop(put);
        });
        // Out of their inputs; the system may list a thread for a moment longer.
        wait_until(|| threads_named("mt-feeder") == 0);
    }
}
