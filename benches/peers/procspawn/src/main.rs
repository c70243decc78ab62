//! procspawn's pool, with the tasks and the words of the peers in Python (`benches/peers/workload.py`).
//!
//! The library's parent process panics at about a thousand outstanding handles, and arguments that are larger than a
//! socket's buffer wait for a worker, so only a few are in flight. There are no batches.

use std::{
    collections::VecDeque,
    hint::black_box,
    time::{Duration, Instant},
};

use procspawn::{JoinHandle, Pool};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Handles in flight, for each worker.
const IN_FLIGHT: u64 = 16;
const ROUNDS: u64 = 500_000;

fn same(n: u64) -> u64 {
    n
}

fn spin(rounds: u64) -> u64 {
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..rounds {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    black_box(x);
    rounds
}

fn body(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

fn rounds_in(time: f64) -> u64 {
    let look = |_| {
        let begun = Instant::now();
        spin(black_box(ROUNDS));
        begun.elapsed().as_secs_f64() / ROUNDS as f64
    };
    let round = (0..50).map(look).fold(f64::MAX, f64::min);
    (time / round).round() as u64
}

fn main() {
    procspawn::init();
    let asked = std::env::args().nth(1).expect("what to do");
    let asked: Value = serde_json::from_str(&asked).expect("JSON");
    let number = |name: &str| asked[name].as_u64().expect("a number");
    let limit = Duration::from_secs(number("limit_s"));
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        std::process::abort();
    });
    let (count, workers) = (number("count"), number("workers"));
    let pool = Pool::new(workers as usize).expect("a pool");
    let in_flight = IN_FLIGHT * workers;
    let mut without_library = None;
    let seconds = match asked["task"].as_str() {
        Some("same") => time(&pool, in_flight, 0..count, same),
        Some("spin") => {
            let rounds = rounds_in(asked["seconds"].as_f64().expect("a number"));
            let seconds = time(&pool, in_flight, (0..count).map(|_| rounds), spin);
            without_library = Some(alone(rounds, count / workers, workers));
            seconds
        }
        _ => {
            let bytes = number("bytes") as usize;
            let bodies = (0..count).map(|n| vec![n as u8; bytes]);
            time(&pool, workers, bodies, body)
        }
    };
    let said = serde_json::json!({"seconds": seconds, "without_library": without_library});
    println!("{said}");
}

/// The seconds that the same tasks take in threads that do nothing else.
fn alone(rounds: u64, share: u64, threads: u64) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..share).for_each(|_| drop(black_box(spin(black_box(rounds))))));
        }
    });
    begun.elapsed().as_secs_f64()
}

/// The time of all items, in order; a hundred are done before, to warm up.
fn time<T>(
    pool: &Pool,
    in_flight: u64,
    items: impl Iterator<Item = T> + Clone,
    task: fn(T) -> T,
) -> f64
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    run(pool, in_flight, items.clone().take(100), task);
    let begun = Instant::now();
    run(pool, in_flight, items, task);
    begun.elapsed().as_secs_f64()
}

fn run<T>(pool: &Pool, in_flight: u64, items: impl Iterator<Item = T>, task: fn(T) -> T)
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    let mut waiting = VecDeque::new();
    for item in items {
        if waiting.len() as u64 == in_flight {
            let first: JoinHandle<T> = waiting.pop_front().expect("one is in flight");
            first.join().expect("a result");
        }
        waiting.push_back(pool.spawn(item, task));
    }
    for handle in waiting {
        handle.join().expect("a result");
    }
}
