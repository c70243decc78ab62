//! How far tasks are, from real worker bees to whoever waits for them.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::future::join_all;
use mt_beehive::{BeehiveRun, Hive, TaskCx, hive_of};

use crate::scene::{Signal, either_way, signal, test_with};

#[derive(Default)]
struct Walker;

#[mt_beehive::worker]
impl Walker {
    /// Goes so far, and gives its thread back now and then.
    #[task]
    async fn walk(&self, cx: TaskCx, steps: u64) -> u64 {
        for step in 1..=steps {
            cx.progress(&step);
            if step % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
        steps
    }

    /// Gets nowhere at its first attempt.
    #[task]
    async fn stumble(&self, cx: &TaskCx) -> u32 {
        cx.progress(&(cx.attempt, std::process::id()));
        if cx.attempt == 1 {
            std::future::pending::<()>().await;
        }
        cx.progress(&(cx.attempt, 0_u32));
        cx.attempt
    }

    /// Says what can't be said, and then something else.
    #[task]
    async fn stammer(&self, cx: &TaskCx) {
        cx.progress(&vec![0_u8; 1 << 20]);
        cx.progress("text");
    }

    #[task]
    async fn time_left(&self, cx: &TaskCx) -> Option<Duration> {
        let deadline = cx.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }
}

fn walkers() -> BeehiveRun<Walker> {
    hive_of::<Walker>(()).processes(1)
}

/// What a watcher is told, to look at afterwards.
fn heard<P: Send + 'static>() -> (Arc<Mutex<Vec<P>>>, impl FnMut(P) + Send + 'static) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&all);
    (all, move |value| told.lock().unwrap().push(value))
}

/// Case H43: Progress is told in order, the latest counts, and the last always arrives.
#[test_with(either_way, walkers)]
async fn the_latest_is_told_in_order_and_the_last_always(hive: Hive<Walker>) {
    let (all, tell) = heard::<u64>();
    assert_eq!(hive.walk(100_000).on_progress(tell).await, Ok(100_000));
    let all = all.lock().unwrap();
    assert!(all.is_sorted(), "{all:?}");
    assert_eq!(all.last(), Some(&100_000));
    assert!(all.len() < 50_000, "those that came too fast were replaced");
}

#[test_with(either_way, walkers)]
async fn many_tasks_at_once_are_told_apart(hive: Hive<Walker>) {
    let all = (1..=200_u64).map(async |steps| {
        let (all, tell) = heard::<u64>();
        assert_eq!(hive.walk(steps).on_progress(tell).await, Ok(steps));
        assert_eq!(all.lock().unwrap().last(), Some(&steps));
    });
    join_all(all).await;
}

/// Case H44: A second attempt knows that it is one, and tells progress from its start.
#[test_with(either_way, walkers)]
async fn a_second_attempt_tells_from_its_start(hive: Hive<Walker>) {
    let (all, mut tell) = heard::<(u32, u32)>();
    let tell = move |(attempt, pid)| {
        tell((attempt, pid));
        if attempt == 1 {
            signal(pid, Signal::KILL);
        }
    };
    assert_eq!(hive.stumble().on_progress(tell).await, Ok(2));
    let all = all.lock().unwrap();
    assert!(matches!(all[0], (1, pid) if pid > 0), "{all:?}");
    assert_eq!(all.last(), Some(&(2, 0)));
}

/// Case H45: Progress that is too long, or of another type, is dropped and harms nobody.
#[test_with(either_way, walkers)]
async fn what_can_not_be_told_harms_nobody(hive: Hive<Walker>) {
    let (numbers, tell) = heard::<u64>();
    assert_eq!(hive.stammer().on_progress(tell).await, Ok(()));
    assert_eq!(*numbers.lock().unwrap(), [0_u64; 0]);
    let (texts, tell) = heard::<String>();
    assert_eq!(hive.stammer().on_progress(tell).await, Ok(()));
    assert_eq!(*texts.lock().unwrap(), ["text"]);
    assert_eq!(hive.walk(3).await, Ok(3), "nobody has to listen");
}

/// Case H46: A task knows its deadline.
#[test_with(either_way, walkers)]
async fn a_task_knows_its_deadline(hive: Hive<Walker>) {
    assert_eq!(hive.time_left().await, Ok(None));
    let limit = Duration::from_secs(3600);
    let left = hive.time_left().deadline(limit).await;
    assert!(matches!(left, Ok(Some(left)) if left <= limit), "{left:?}");
}
