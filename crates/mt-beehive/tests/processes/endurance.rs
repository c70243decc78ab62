//! Much of everything: hives, children of tasks, ends that race; and tasks of nothing.

use std::{fs, process::Command, thread};

use futures::{executor, future::try_join_all};
use mt_beehive::{CancelReason, Hive, error::NoWorkers, hive_of};
use mt_test_kit::{descriptors, wait_until_gone};

use crate::{
    doer::DoerTasks,
    scene::{
        Folder, Live as _, Scene, block_on, both_ways, check, hive, reason, role, test_with,
        wait_until,
    },
};

#[derive(Default)]
struct Many;

#[mt_beehive::worker(tasks = ManyTasks)]
impl Many {
    /// Leaves so many programs behind.
    #[task]
    fn leave(&self, count: usize) -> Vec<u32> {
        let start = |_| Command::new("sleep").arg("1000").spawn().unwrap().id();
        (0..count).map(start).collect()
    }

    #[task]
    fn nothing(&self, (): ()) {}

    #[task]
    async fn nothing_async(&self, (): ()) -> Result<(), ()> {
        Ok(())
    }
}

/// Case P5: A thousand children of a bee's task go when the hive is dropped.
#[test_with(check)]
fn a_thousand_when_a_hive_is_dropped() {
    let hive = hive_of::<Many>(()).processes(1).start().unwrap();
    let pids = block_on(hive.leave(1002)).unwrap();
    assert_eq!(pids.len(), 1002);
    drop(hive);
    wait_until_gone(&pids);
}

/// Case P8: Tasks that take and give nothing are tasks like any other.
#[test_with(check)]
fn tasks_of_nothing() {
    both_ways(
        || hive_of::<Many>(()).processes(1),
        async |hive| {
            for count in [0, 1, 5000] {
                let all = try_join_all((0..count).map(|_| hive.nothing(())));
                assert_eq!(all.await.unwrap().len(), count);
                let all = try_join_all((0..count).map(|_| hive.nothing_async(())));
                assert_eq!(all.await.unwrap().len(), count);
            }
        },
    );
}

/// The memory this process holds in KiB, its threads, and its descriptors.
fn holds() -> (u64, usize, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let held = status.lines().find_map(|it| it.strip_prefix("RssAnon:"));
    let held = held.unwrap().trim().trim_end_matches(" kB");
    let threads = fs::read_dir("/proc/self/task").unwrap().count();
    (held.parse().unwrap(), threads, descriptors().len())
}

/// Case P4: Hundreds of short hives leave memory, threads and descriptors as they were.
#[test_with(check)]
fn hundreds_of_short_hives() {
    let lives = || {
        let done = block_on(hive(1).live(async |hive| hive.add(1, 2).await));
        assert_eq!(done, Ok(3));
    };
    (0..50).for_each(|_| lives());
    let (memory, threads, files) = holds();
    (0..300).for_each(|_| lives());
    wait_until(|| holds().1 <= threads && holds().2 <= files);
    let after = holds().0;
    assert!(after <= memory + 4096, "{memory} KiB, then {after} KiB");
}

/// Case P7: A hive that ends while tasks are delegated gives every outcome: what was begun, or why it was not.
#[test_with(check)]
fn an_end_that_races_with_delegates() {
    for round in 0..40_u64 {
        let hive = hive(2).start().unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                let hive: Hive<_> = (*hive).clone();
                scope.spawn(move || {
                    for n in 0.. {
                        match executor::block_on(hive.add(n, n)) {
                            Ok(sum) => assert_eq!(sum, 2 * n),
                            late => {
                                let why = reason(late);
                                let buried = CancelReason::NoWorkers(NoWorkers::Buried);
                                let is_over = [CancelReason::HiveClosed, buried].contains(&why);
                                return assert!(is_over, "{why}");
                            }
                        }
                    }
                });
            }
            (0..round * 2000).for_each(|_| std::hint::spin_loop());
            match round % 2 {
                0 => block_on(hive.shutdown()),
                _ => drop(hive),
            }
        });
    }
}

/// Where a hive starts that tells by a file how it went. For the test runner this is nothing.
#[test]
fn as_host() {
    if role() == "nothing is open" {
        let folder = Folder::at(std::env::var_os(FOLDER).unwrap());
        let done = block_on(hive(2).live(async |hive| {
            try_join_all((0..100).map(|n| hive.add(n, n)))
                .await
                .unwrap()
        }));
        done.into_iter().for_each(|sum| folder.note("sums", sum));
    }
}

const FOLDER: &str = "MT_TEST_FOLDER";

/// Case P9: A hive of a host that was started with descriptors 0 to 2 closed works.
#[test_with(check)]
fn nothing_open_at_the_start() {
    let folder = Folder::temp();
    let mut command = Scene::of("endurance::as_host", "nothing is open");
    command.env(FOLDER, folder.path());
    let words = ["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"];
    let status = Scene::start(&mut Scene::through("bash", &words, &command)).end();
    assert!(status.success(), "{status}");
    assert_eq!(
        folder.noted("sums"),
        (0..100).map(|n| 2 * n).collect::<Vec<_>>()
    );
}
