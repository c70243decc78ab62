//! The threads of a run and of a worker: those of the table in `docs/architecture.md`.

use crate::prelude::*;

const PAGE: &str = include_str!("../../../../docs/architecture.md");

/// The names of this process's threads that are ours.
fn own_threads() -> BTreeSet<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // One that has just ended has no name any more.
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    let names = names.map(|name| name.trim().to_owned());
    names.filter(|name| name.starts_with("mt-")).collect()
}

#[task]
fn worker_threads(_: u64) -> BTreeSet<String> {
    own_threads()
}

/// Case D14: The threads of a run and of a worker are those of the table, and all but the two that stay end with the
/// run.
#[test_with(alone)]
fn threads_are_those_of_the_table_and_two_stay() {
    let names = |all: &[&str]| {
        all.iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let stay = names(&["mt-spawner", "mt-stderr"]);
    wait_until(|| own_threads() == stay);
    let mut run = asyn_pmap::<worker_threads>(0..)
        .processes(1)
        .capacity(2)
        .start()
        .unwrap()
        .into_iter();
    // The name of a worker's first thread, which watches the parent, is the process's.
    let found = run.next().unwrap().unwrap();
    assert_eq!(found, names(&["mt-worker", "mt-link", "mt-main"]));
    let during = own_threads();
    assert_eq!(
        during,
        names(&["mt-spawner", "mt-stderr", "mt-supervisor", "mt-feeder"])
    );
    let table = PAGE.split("## Threads").nth(1).unwrap();
    let told = found
        .into_iter()
        .chain(during)
        .filter(|name| name != "mt-worker");
    told.for_each(|name| assert!(table.contains(&format!("`{name}`")), "{name}"));
    drop(run);
    wait_until(|| own_threads() == stay);
}
