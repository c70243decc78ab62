//! A plain function is no task.

fn double(n: u64) -> u64 {
    2 * n
}

fn main() {
    let _ = mt_pool::asyn_pmap::<double>([1, 2, 3]);
}
