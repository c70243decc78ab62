//! A pool in a criterion bench: its workers are this bench's own program, as anywhere else.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use mt_benches::tasks::same;
use mt_pool::asyn_pmap;

/// The items of a small run: mostly the start and the end of the workers.
const FEW: u64 = 1_000;
/// The items of a larger one.
const MANY: u64 = 1_000_000;

fn map(items: u64) -> u64 {
    let run = asyn_pmap::<same>(0..items).processes(2).start();
    let outcomes = run.expect("two workers can be had").into_iter();
    outcomes
        .map(|outcome| outcome.expect("a no-op succeeds"))
        .sum()
}

fn maps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("asyn_pmap no-op, 2 workers");
    group.sample_size(10);
    for items in [FEW, MANY] {
        group.throughput(Throughput::Elements(items));
        group.bench_with_input(
            BenchmarkId::from_parameter(items),
            &items,
            |bencher, &items| {
                bencher.iter(|| map(black_box(items)));
            },
        );
    }
    group.finish();
}

fn main() {
    // First of all: in a worker process this does not return.
    mt_pool::init();
    let mut criterion = Criterion::default().configure_from_args();
    maps(&mut criterion);
    criterion.final_summary();
}
