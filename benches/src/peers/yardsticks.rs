//! Peers within this process: what a task costs where nothing is isolated.

use std::{future::ready, time::Duration};

use anyhow::Result;
use futures::{StreamExt, stream};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

use super::Peer;
use crate::{
    cpu::{Job, rounds},
    measure::{Load, Pace, Sample},
};

/// Tasks in flight at once.
const IN_FLIGHT: usize = 1024;
/// Threads wake each other up for every call of `spawn_blocking`.
const BLOCKING_SHARE: u64 = 10;

pub(super) fn of_no_op(load: Load, threads: usize) -> Vec<Peer> {
    let few = Load::new(load.warm_up / BLOCKING_SHARE, load.items / BLOCKING_SHARE);
    vec![
        Peer {
            name: "tokio::spawn",
            run: Box::new(move || no_op(few, threads, |n| tokio::spawn(ready(n)))),
        },
        Peer {
            name: "spawn_blocking",
            run: Box::new(move || no_op(few, threads, |n| tokio::task::spawn_blocking(move || n))),
        },
        Peer {
            name: "buffer_unordered(1024)",
            run: Box::new(move || buffered(load)),
        },
    ]
}

pub(super) fn of_spin(count: u64, time: Duration, threads: usize) -> Vec<Peer> {
    let peer = |name, spawn: fn(u64) -> JoinHandle<u64>| Peer {
        name,
        run: Box::new(move || {
            let job = Job::of(count, time);
            let runtime = runtime(threads)?;
            job.timed(|| runtime.block_on(in_order(job.tasks(), spawn, || ())))
        }),
    };
    vec![
        peer("tokio::spawn", |n| tokio::spawn(async move { rounds(n) })),
        peer("spawn_blocking", |n| {
            tokio::task::spawn_blocking(move || rounds(n))
        }),
    ]
}

fn runtime(threads: usize) -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    Ok(builder
        .worker_threads(threads)
        .max_blocking_threads(threads)
        .build()?)
}

fn no_op(load: Load, threads: usize, spawn: fn(u64) -> JoinHandle<u64>) -> Result<Sample> {
    let runtime = runtime(threads)?;
    let mut pace = Pace::start(load);
    let sum = runtime.block_on(in_order(0..load.total(), spawn, || pace.add(1)))?;
    pace.finish(sum)
}

/// Spawns each and awaits them in their order, so many in flight: what they add up to.
async fn in_order(
    items: impl Iterator<Item = u64>,
    spawn: fn(u64) -> JoinHandle<u64>,
    mut ended_one: impl FnMut(),
) -> Result<u64> {
    let mut ended = stream::iter(items.map(spawn)).buffered(IN_FLIGHT);
    let mut sum = 0_u64;
    while let Some(result) = ended.next().await {
        sum = sum.wrapping_add(result?);
        ended_one();
    }
    Ok(sum)
}

fn buffered(load: Load) -> Result<Sample> {
    let mut pace = Pace::start(load);
    let items = stream::iter(0..load.total()).map(async |n| n);
    let mut ended = Box::pin(items.buffer_unordered(IN_FLIGHT));
    let sum = futures::executor::block_on(async {
        let mut sum = 0_u64;
        while let Some(value) = ended.next().await {
            sum = sum.wrapping_add(value);
            pace.add(1);
        }
        sum
    });
    pace.finish(sum)
}
