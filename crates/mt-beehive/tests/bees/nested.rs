//! A hive in a hive: worker bees that have worker bees.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
    time::Duration,
};

use crate::scene::{check, check_async, is_gone, itself, signal, wait_until};
use mt_beehive::{
    BeehiveRun, Dispatch, Hive, Population, RestartBudget, TaskCx, TaskError, TaskResult, hive_of,
};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(50);
/// How long a leaf takes to go.
const LEAF_GOES: Duration = Duration::from_secs(2);

/// A bee without children. If there is a file to write to, she takes her time to go, and says so in it.
struct Leaf(Option<String>);

#[mt_beehive::worker]
impl Leaf {
    fn new(record: Option<String>) -> Self {
        Self(record)
    }

    #[task]
    async fn square(&self, n: u64) -> u64 {
        n * n
    }

    #[task]
    async fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Tells who does it, and goes on for ever.
    #[task]
    async fn hold(&self, cx: &TaskCx) {
        cx.progress(&std::process::id());
        std::future::pending().await
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        if let Some(record) = &self.0 {
            std::thread::sleep(LEAF_GOES); // work: what she closes
            append(record, "a leaf is gone");
        }
    }
}

fn append(file: &str, line: &str) {
    let file = fs::OpenOptions::new().create(true).append(true).open(file);
    // In one piece: others write too.
    file.unwrap()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

/// A bee that has two leaves.
struct Branch(Option<String>);

#[mt_beehive::worker(worker = Leaf)]
impl Branch {
    fn new(record: Option<String>) -> Self {
        Self(record)
    }

    fn hive(&self) -> BeehiveRun<Leaf> {
        let hive = hive_of::<Leaf>(self.0.clone()).population(Population::Fixed(2));
        hive.max_concurrency(4).exit_grace(LONG).cancel_grace(LONG)
    }

    #[task]
    async fn sum(&self, hive: &Hive<Leaf>, numbers: Vec<u64>) -> Result<u64, TaskError> {
        let squares = numbers.into_iter().map(|n| hive.square(n));
        let squares = futures::future::join_all(squares).await;
        squares.into_iter().map(|(square, _)| square.ok()).sum()
    }

    /// Who she is, and who a leaf of hers is.
    #[task]
    async fn pids(&self, hive: Hive<Leaf>) -> Result<(u32, u32), String> {
        Ok((std::process::id(), hive.pid().await.0.ok()?))
    }

    /// Tells who she is and who holds a task for her. Her second attempt ends.
    #[task]
    async fn hold(&self, cx: &TaskCx, hive: &Hive<Leaf>) -> Result<u64, TaskError> {
        let (attempt, me, tell) = (cx.attempt, std::process::id(), cx.clone());
        let leaf = hive
            .hold()
            .on_progress(move |leaf: u32| tell.progress(&(attempt, me, leaf)));
        if attempt == 1 {
            leaf.await.0.ok()?;
        }
        hive.square(5).await.0.ok()
    }

    /// Waits for the file, and delegates then.
    #[task]
    async fn late(&self, cx: &TaskCx, hive: &Hive<Leaf>, go: String) -> Result<u64, TaskError> {
        cx.progress(&());
        while fs::metadata(&go).is_err() {
            tokio::time::sleep(SHORT / 10).await; // work: until it is told to go on
        }
        hive.square(6).await.0.ok()
    }

    /// Asks for what she does not have.
    #[task]
    async fn ask_for_branches(&self, cx: &TaskCx) -> Result<(), String> {
        let hive = cx.hive::<Branch>();
        hive.map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        if let Some(record) = &self.0 {
            append(record, "a branch is gone");
        }
    }
}

/// A bee whose worker bees have worker bees; nothing is said about her hive.
#[derive(Default)]
struct Trunk;

#[derive(Default)]
struct Bough;

#[mt_beehive::worker(worker = Branch)]
impl Bough {
    fn hive(&self) -> BeehiveRun<Branch> {
        hive_of::<Branch>(None).population(Population::Fixed(1))
    }

    #[task]
    async fn sum(&self, hive: &Hive<Branch>, numbers: Vec<u64>) -> Result<u64, TaskError> {
        hive.sum(numbers).await.0.ok()
    }

    #[task]
    async fn pids(&self, hive: &Hive<Branch>) -> Result<Vec<u32>, String> {
        let (branch, leaf) = hive.pids().await.0.ok()?;
        Ok(vec![std::process::id(), branch, leaf])
    }
}

#[mt_beehive::worker(worker = Bough)]
impl Trunk {
    #[task]
    async fn sum(&self, hive: &Hive<Bough>, numbers: Vec<u64>) -> Result<u64, TaskError> {
        hive.sum(numbers).await.0.ok()
    }

    #[task]
    async fn pids(&self, hive: &Hive<Bough>) -> Result<Vec<u32>, String> {
        let mut pids = hive.pids().await.0.ok()?;
        pids.push(std::process::id());
        Ok(pids)
    }
}

fn branches(bees: usize) -> BeehiveRun<Branch> {
    hive_of::<Branch>(None)
        .population(Population::Fixed(bees))
        .exit_grace(LONG)
        .cancel_grace(LONG)
}

#[test]
fn what_is_delegated_is_delegated_further() {
    check_async(|| async {
        for dispatch in [Dispatch::Auction, Dispatch::Credit] {
            let run = branches(2).dispatch(dispatch).run(async |hive| {
                let sums = (1..=20).map(|n| hive.sum((1..=n).collect()));
                let sums = futures::future::join_all(sums).await;
                for (n, (sum, _)) in (1..=20).zip(sums) {
                    let expected: u64 = (1..=n).map(|n| n * n).sum();
                    assert_eq!(sum, TaskResult::Succeeded(expected));
                }
                hive.pids().await.0.ok().unwrap()
            });
            let (branch, leaf) = run.await.unwrap();
            assert_ne!(branch, leaf);
            assert!(is_gone(branch) && is_gone(leaf));
        }
    });
}

#[test]
fn a_hive_is_three_levels_deep() {
    check_async(|| async {
        let run = hive_of::<Trunk>(())
            .population(Population::Fixed(1))
            .exit_grace(LONG);
        let run = run.run(async |hive| {
            let (sum, _) = hive.sum((1..=100).collect()).await;
            assert_eq!(sum, TaskResult::Succeeded(338_350));
            hive.pids().await.0.ok().unwrap()
        });
        let mut pids = run.await.unwrap();
        assert!(pids.iter().all(|&pid| is_gone(pid)));
        pids.sort_unstable();
        pids.dedup();
        assert_eq!(pids.len(), 4, "everybody has a process of her own");
    });
}

/// A file that nobody else uses, gone at the end.
struct File(String);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("mt-nested-{name}-{}", std::process::id());
        Self(env::temp_dir().join(name).to_str().unwrap().to_owned())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn leaves_go_before_their_branch_and_in_peace() {
    check_async(|| async {
        let record = File::new("record");
        // Less than her leaves take: their time is not hers.
        let grace = LEAF_GOES * 3 / 4;
        let run = hive_of::<Branch>(Some(record.0.clone())).exit_grace(grace);
        let run = run.population(Population::Fixed(1)).run(async |hive| {
            let (sum, _) = hive.sum((1..=100).collect()).await;
            assert_eq!(sum, TaskResult::Succeeded(338_350));
        });
        run.await.unwrap();
        let record = fs::read_to_string(&record.0).unwrap();
        let lines: Vec<_> = record.lines().collect();
        // A leaf that was not made by then is not waited for.
        let (last, leaves) = lines.split_last().unwrap();
        assert_eq!(*last, "a branch is gone", "{lines:?}");
        assert!(matches!(leaves.len(), 1 | 2), "{lines:?}");
        assert!(
            leaves.iter().all(|leaf| *leaf == "a leaf is gone"),
            "{lines:?}"
        );
    });
}

#[test]
fn a_branch_that_is_told_to_die_finishes_what_she_has_and_delegates_for_it() {
    check_async(|| async {
        let go = File::new("go");
        let run = branches(1).run(async |hive| {
            let (path, grave) = (go.0.clone(), hive.clone());
            let bury = move |()| {
                grave.bury(Some(0));
                fs::write(&path, "").unwrap();
            };
            let (result, bee) = hive.late(go.0.clone()).on_progress(bury).await;
            assert_eq!((result, bee), (TaskResult::Succeeded(36), Some(0)));
        });
        run.await.unwrap();
    });
}

#[test]
fn a_killed_branch_takes_her_leaves_along_and_her_tasks_are_begun_again() {
    check_async(|| async {
        let run = branches(1).run(async |hive| {
            let kill = |(attempt, branch, leaf): (u32, u32, u32)| {
                if attempt == 1 {
                    assert!(!is_gone(leaf));
                    signal(branch, "KILL");
                    wait_until(|| is_gone(leaf));
                }
            };
            let (result, bee) = hive.hold().on_progress(kill).await;
            assert_eq!((result, bee), (TaskResult::Succeeded(25), Some(1)));
        });
        run.await.unwrap();
    });
}

#[test]
fn branches_that_are_killed_again_and_again_lose_nothing() {
    check_async(|| async {
        let budget = RestartBudget {
            limit: 100,
            ..RestartBudget::default()
        };
        let run = branches(2).crash_limit(100).restart_budget(budget);
        let run = run.run(async |hive| {
            for round in 0..5_u64 {
                let sums = (0..40).map(|n| hive.sum(vec![round, n]));
                let sums = futures::future::join_all(sums);
                let killing = async {
                    if let (TaskResult::Succeeded((branch, _)), _) = hive.pids().await {
                        signal(branch, "KILL");
                    }
                };
                let (sums, ()) = futures::future::join(sums, killing).await;
                for (n, (sum, _)) in (0..).zip(sums) {
                    assert_eq!(sum, TaskResult::Succeeded(round * round + n * n));
                }
            }
        });
        run.await.unwrap();
    });
}

#[test]
fn a_deadline_above_cancels_what_is_below() {
    check_async(|| async {
        let run = branches(1).run(async |hive| {
            let (_, leaf_before) = hive.pids().await.0.ok().unwrap();
            // As many as the leaves take at once.
            let held = (0..8).map(|_| hive.hold().deadline(SHORT));
            for (result, _) in futures::future::join_all(held).await {
                assert!(matches!(result, TaskResult::Cancelled { .. }), "{result:?}");
            }
            // There would be no place for it below.
            let (sum, bee) = hive.sum((1..=100).collect()).await;
            assert_eq!((sum, bee), (TaskResult::Succeeded(338_350), Some(0)));
            leaf_before
        });
        assert!(is_gone(run.await.unwrap()));
    });
}

#[test]
fn a_bee_is_told_which_hive_she_does_not_have() {
    check_async(|| async {
        let run = branches(1).run(async |hive| hive.ask_for_branches().await.0);
        let why = run.await.unwrap().ok().unwrap_err().to_string();
        assert!(why.contains("no such hive of her own"), "{why}");
        assert!(
            why.contains("bees::nested::Leaf, not bees::nested::Branch"),
            "{why}"
        );
    });
}

#[test]
fn a_killed_queen_takes_both_levels_along() {
    const DOOMED: &str = "MT_TEST_DOOMED";
    const NAME: &str = "nested::a_killed_queen_takes_both_levels_along";
    if env::var_os(DOOMED).is_some() {
        let run = branches(1).run(async |hive| {
            let tell = |(_, branch, leaf): (u32, u32, u32)| println!("bees {branch} {leaf}.");
            hive.hold().on_progress(tell).await
        });
        let _ = futures::executor::block_on(run);
        return;
    }
    check(|| {
        let mut queen = itself(NAME);
        queen.env(DOOMED, "").stdout(Stdio::piped());
        let mut queen = queen.spawn().unwrap();
        let said = BufReader::new(queen.stdout.take().unwrap()).lines();
        let bees = said.map(Result::unwrap).find_map(|line| {
            let (_, bees) = line.split_once("bees ")?;
            let (branch, leaf) = bees.strip_suffix('.')?.split_once(' ')?;
            Some([branch, leaf].map(|pid| pid.parse::<u32>().unwrap()))
        });
        let bees = bees.expect("she tells her bees' ids");
        assert!(bees.iter().all(|&bee| !is_gone(bee)));
        queen.kill().unwrap();
        queen.wait().unwrap();
        wait_until(|| bees.iter().all(|&bee| is_gone(bee)));
    });
}
