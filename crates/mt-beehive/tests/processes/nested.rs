//! A hive in a hive: worker bees that have worker bees.

use std::time::Duration;

use futures::future::{join, join_all, try_join_all};
use mt_beehive::{
    BeehiveRun, DelegateError, Dispatch, Hive, TaskCx, hive_of,
    limits::{Deadlines, WorkerOptions},
    supervision::RestartBudget,
};

use crate::{
    doer::{Birth, Doer, DoerTasks, GONE, Odd},
    scene::{
        Folder, LONG, Live as _, Scene, Signal, assert_late, begun, block_on, check, check_async,
        is_gone, patient, ready_bees, role, signal, test_with, until, wait_until, with_hive,
    },
};

const SHORT: Duration = Duration::from_millis(50);
/// How long a leaf takes to go if there is a folder where it notes that.
const LEAF_GOES: Duration = Duration::from_secs(2);
/// What branches note when they are gone.
const BRANCH: u64 = 2;

/// A bee that has two leaves, which are doers.
pub(crate) struct Branch(Option<Folder>);

#[mt_beehive::worker(worker = Doer, tasks = pub(crate) BranchTasks)]
impl Branch {
    fn new(record: Option<Folder>) -> Self {
        Self(record)
    }

    fn hive(&self) -> BeehiveRun<Doer> {
        let record = self.0.clone();
        let birth = record.map_or(Birth::Well, |record| Birth::GoesSlowly(record, LEAF_GOES));
        let hive = hive_of::<Doer>(birth).processes(2);
        hive.max_concurrency(4).deadlines(patient())
    }

    /// Twice their sum.
    #[task]
    async fn sum(&self, hive: &Hive<Doer>, numbers: Vec<u64>) -> Result<u64, DelegateError> {
        let doubled = numbers.into_iter().map(|n| hive.add(n, n));
        Ok(try_join_all(doubled).await?.into_iter().sum())
    }

    /// What a leaf says, as it is.
    #[task]
    async fn root(&self, hive: &Hive<Doer>, n: i64) -> Result<u64, DelegateError<Odd>> {
        hive.root(n).await
    }

    /// Who the branch is, and who a leaf of it is.
    #[task]
    async fn pids(&self, hive: Hive<Doer>) -> Result<(u32, u32), DelegateError> {
        Ok((std::process::id(), hive.pid().await?))
    }

    /// Tells who the branch is and who holds a task for it, for ever. The second attempt ends.
    #[task]
    async fn hold(
        &self,
        cx: &TaskCx,
        hive: &Hive<Doer>,
        folder: Folder,
    ) -> Result<u64, DelegateError> {
        let (attempt, me, tell) = (cx.attempt, std::process::id(), cx.clone());
        let tell = move |leaf: u32| tell.progress(&(attempt, me, leaf));
        let leaf = hive.wait_to_go(folder).on_progress(tell);
        if attempt == 1 {
            leaf.await?;
        }
        hive.add(2, 3).await
    }

    /// Tells who the branch is and who a leaf of it is, waits until it may go on, and delegates then.
    #[task]
    pub(crate) async fn late(
        &self,
        cx: &TaskCx,
        hive: &Hive<Doer>,
        folder: Folder,
    ) -> Result<u64, DelegateError> {
        cx.progress(&(std::process::id(), hive.pid().await?));
        until(|| folder.exists("go")).await;
        hive.add(2, 3).await
    }

    /// The same while one of the two leaves is blocked.
    #[task]
    async fn sum_beside_a_blocked_one(
        &self,
        hive: &Hive<Doer>,
        folder: Folder,
        numbers: Vec<u64>,
    ) -> Result<u64, DelegateError> {
        ready_bees(hive, 2).await;
        let sum = async {
            begun(&folder, 1).await;
            let sum = self.sum(hive, numbers).await;
            folder.first("go");
            sum
        };
        let (blocked, sum) = join(hive.block_until(folder.clone()), sum).await;
        blocked.and(sum)
    }

    /// Leaves two tasks behind that never end and that nobody awaits.
    #[task]
    async fn leave_tasks(&self, hive: Hive<Doer>, folder: Folder) {
        tokio::task::spawn_local(hive.wait(folder.clone()));
        let (hive, there) = (hive.clone(), folder.clone());
        tokio::spawn(async move { hive.wait(there).await });
        begun(&folder, 2).await;
    }

    /// Leaves something behind that blocks the branch's thread.
    #[task]
    async fn leave_a_blocked_thread(&self, hive: &Hive<Doer>) -> Result<u64, DelegateError> {
        let sum = hive.add(1, 2).await;
        tokio::task::spawn_local(async { std::thread::sleep(LONG) }); // work: gets nowhere
        sum
    }

    /// Asks for what there is not.
    #[task]
    async fn ask_for_branches(&self, cx: &TaskCx) -> Result<(), String> {
        let hive = cx.hive::<Branch>();
        hive.map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        if let Some(record) = &self.0 {
            record.note("gone", BRANCH);
        }
    }
}

/// A bee whose worker bees have worker bees; nothing is said about its hive.
#[derive(Default)]
struct Trunk;

#[derive(Default)]
struct Bough;

#[mt_beehive::worker(worker = Branch)]
impl Bough {
    fn hive(&self) -> BeehiveRun<Branch> {
        hive_of::<Branch>(None).processes(1)
    }

    /// Twice a sum, and the pids of who has helped.
    #[task]
    async fn sum(&self, hive: &Hive<Branch>, numbers: Vec<u64>) -> anyhow::Result<(u64, Vec<u32>)> {
        let (branch, leaf) = hive.pids().await?;
        let pids = vec![std::process::id(), branch, leaf];
        Ok((hive.sum(numbers).await?, pids))
    }
}

#[mt_beehive::worker(worker = Bough)]
impl Trunk {
    #[task]
    async fn sum(&self, hive: &Hive<Bough>, numbers: Vec<u64>) -> anyhow::Result<(u64, Vec<u32>)> {
        let (sum, mut pids) = hive.sum(numbers).await?;
        pids.push(std::process::id());
        Ok((sum, pids))
    }
}

/// A bee that can't have bees: the options of its hive are wrong.
#[derive(Default)]
struct Barren;

#[mt_beehive::worker(worker = Doer)]
impl Barren {
    fn hive(&self) -> BeehiveRun<Doer> {
        hive_of::<Doer>(Birth::Well).max_concurrency(0)
    }

    #[task]
    async fn pid(&self, hive: &Hive<Doer>) -> Result<u32, DelegateError> {
        hive.pid().await
    }
}

fn branches(bees: usize) -> BeehiveRun<Branch> {
    let hive = hive_of::<Branch>(None).processes(bees);
    hive.deadlines(patient())
}

#[test_with(check_async)]
async fn what_is_delegated_is_delegated_further() {
    for dispatch in [Dispatch::Auction, Dispatch::Credit] {
        let run = branches(2).dispatch(dispatch).live(async |hive| {
            let sums = (1..=20).map(|n| hive.sum((1..=n).collect()));
            let expected = (1..=20).map(|n| n * (n + 1)).collect();
            assert_eq!(try_join_all(sums).await, Ok(expected));
            hive.pids().await.unwrap()
        });
        let (branch, leaf) = run.await;
        assert_ne!(branch, leaf);
        assert!(is_gone(branch) && is_gone(leaf));
    }
}

/// Through as many processes as there are in between.
///
/// Case H37: An error arrives as it is through a hive in a hive.
#[test_with(with_hive, branches(1))]
async fn an_error_from_two_levels_below_arrives_as_it_is(hive: Hive<Branch>) {
    assert_eq!(hive.root(16).await, Ok(4));
    let odd = DelegateError::Raised(Odd::Negative { by: 3 });
    assert_eq!(hive.root(-3).await, Err(DelegateError::Raised(odd)));
}

/// Case H38: A bee whose own hive can't be started says so: `NoHive`.
#[test_with(with_hive, hive_of::<Barren>(()).processes(1))]
async fn a_bee_whose_own_hive_can_not_be_started_says_why(hive: Hive<Barren>) {
    for _ in 0..2 {
        let pid = hive.pid().await;
        assert!(matches!(pid, Err(DelegateError::NoHive { .. })), "{pid:?}");
    }
}

#[test_with(check_async)]
async fn a_hive_is_three_levels_deep() {
    let hive = hive_of::<Trunk>(()).processes(1).deadlines(patient());
    let run = hive.live(async |hive| hive.sum((1..=100).collect()).await);
    let (sum, mut pids) = run.await.unwrap();
    assert_eq!(sum, 10_100);
    assert!(pids.iter().all(|&pid| is_gone(pid)));
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 4, "everybody has a process of her own");
}

/// Case H40: Then its own bees go, whose time is not its own, and then it goes.
#[test_with(check)]
fn leaves_go_before_their_branch_and_in_peace() {
    let record = Folder::temp();
    // Less than the leaves take: their time is not the branch's.
    let grace = Deadlines::new().exit_grace(LEAF_GOES * 3 / 4);
    let hive = hive_of::<Branch>(Some(record.clone())).processes(1);
    block_on(hive.deadlines(grace).live(async |hive| {
        assert_eq!(hive.sum((1..=100).collect()).await, Ok(10_100));
    }));
    let gone = record.noted("gone");
    // A leaf that was not made by then is not waited for.
    let all = [vec![GONE, BRANCH], vec![GONE, GONE, BRANCH]];
    assert!(all.contains(&gone), "{gone:?}");
}

/// Case H39: A bee that is told to die finishes its tasks, and may delegate for them.
#[test_with(with_hive, branches(1))]
async fn a_branch_that_is_told_to_die_finishes_what_she_has_and_delegates_for_it(
    hive: Hive<Branch>,
) {
    let folder = Folder::temp();
    let (there, grave) = (folder.clone(), hive.clone());
    let bury = move |_: (u32, u32)| {
        grave.bury(Some(0));
        there.first("go");
    };
    let late = hive.late(folder.clone()).on_progress(bury);
    assert_eq!(late.with_bee().await, (Ok(5), Some(0)));
}

/// Case H41: A bee that dies takes its bees along, and its tasks are begun again.
#[test_with(with_hive, branches(1))]
async fn a_killed_branch_takes_her_leaves_along_and_her_tasks_are_begun_again(hive: Hive<Branch>) {
    let folder = Folder::temp();
    let kill = |(attempt, branch, leaf): (u32, u32, u32)| {
        if attempt == 1 {
            assert!(!is_gone(leaf));
            signal(branch, Signal::KILL);
            wait_until(|| is_gone(leaf));
        }
    };
    let held = hive.hold(folder.clone()).on_progress(kill);
    assert_eq!(held.with_bee().await, (Ok(5), Some(1)));
}

#[test]
fn branches_that_are_killed_again_and_again_lose_nothing() {
    let budget = RestartBudget {
        limit: 100,
        ..RestartBudget::default()
    };
    let workers = WorkerOptions::new().restart_budget(budget);
    let branches = branches(2).crash_limit(100).workers(workers);
    with_hive(branches, async |hive| {
        for round in 0..5_u64 {
            let sums = join_all((0..40).map(|n| hive.sum(vec![round, n])));
            let killing = async {
                if let Ok((branch, _)) = hive.pids().await {
                    signal(branch, Signal::KILL);
                }
            };
            let (sums, ()) = join(sums, killing).await;
            for (n, sum) in (0..).zip(sums) {
                assert_eq!(sum, Ok(2 * (round + n)));
            }
        }
    });
}

/// Case H42: A task that is cancelled cancels what it had delegated.
#[test_with(check_async)]
async fn a_deadline_above_cancels_what_is_below() {
    let folder = Folder::temp();
    let run = branches(1).live(async |hive| {
        let (_, leaf_before) = hive.pids().await.unwrap();
        // As many as the leaves take at once.
        let held = (0..8).map(|_| hive.hold(folder.clone()).deadline(SHORT));
        for result in join_all(held).await {
            assert_late(result);
        }
        // There would be no place for it below.
        let sum = hive.sum((1..=100).collect()).with_bee().await;
        assert_eq!(sum, (Ok(10_100), Some(0)));
        leaf_before
    });
    assert!(is_gone(run.await));
}

#[test_with(with_hive, branches(1))]
async fn a_bee_is_told_which_hive_she_does_not_have(hive: Hive<Branch>) {
    let why = hive.ask_for_branches().await.unwrap_err().to_string();
    assert!(why.contains("no such hive of its own"), "{why}");
    let which = "processes::doer::Doer, not processes::nested::Branch";
    assert!(why.contains(which), "{why}");
}

#[test]
fn a_killed_queen_takes_both_levels_along() {
    const NAME: &str = "nested::a_killed_queen_takes_both_levels_along";
    if role() == "queen" {
        let folder = Folder::temp();
        let ended = block_on(branches(1).live(async |hive| {
            let tell = |(_, branch, leaf): (u32, u32, u32)| println!("PIDS {branch} {leaf}");
            hive.hold(folder.clone()).on_progress(tell).await
        }));
        panic!("{ended:?}");
    }
    check(|| {
        let mut queen = Scene::start(&mut Scene::of(NAME, "queen"));
        queen.read_until("PIDS");
        assert_eq!(queen.pids.len(), 2);
        assert!(!queen.pids.iter().any(|&bee| is_gone(bee)));
        queen.signal(Signal::KILL);
        queen.end();
    });
}

/// Case G5: What a bee's tasks have delegated and left behind is cancelled when the bee goes, so the hive above ends.
#[test_with(check_async)]
async fn what_nobody_awaits_does_not_keep_the_hive_above() {
    let folder = Folder::temp();
    let run = branches(1).live(async |hive| hive.leave_tasks(folder.clone()).await);
    run.await.unwrap();
    assert_eq!(folder.noted("dropped").len(), 2, "told where they are");
}

/// A local task that a task has left behind may hold a bee's thread for ever: the bee is then told to die in vain, and killed
/// after its exit grace.
#[test_with(check_async)]
async fn what_holds_the_thread_of_a_dying_bee_does_not_keep_the_hive_above() {
    let grace = Deadlines::new().exit_grace(2 * SHORT);
    let run = branches(1).deadlines(grace);
    let done = run.live(async |hive| hive.leave_a_blocked_thread().await);
    done.await.unwrap();
}
