//! Ctrl-C at a terminal: the first lets what runs go on and cancels the rest, the second ends all at once.

use std::{
    env,
    os::unix::process::{CommandExt, ExitStatusExt},
};

use futures::future::{join, join_all};
use mt_beehive::{
    CancelReason, Dispatch, Hive, hive_of, limits::WorkerOptions, supervision::OnSignal,
};
use mt_test_kit::TempFolder;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    nested::{Branch, BranchTasks},
    scene::{Folder, Live as _, Scene, check, children, is_gone, reason, role, signal, test_with},
};

/// The folder in which tasks wait for a file.
const FOLDER: &str = "MT_TEST_FOLDER";
/// The tasks that run at once: two bees do two each.
const AT_ONCE: usize = 4;
const TASKS: usize = 10;

/// Where a queen starts that will be interrupted. For the test runner this is nothing.
#[test]
fn as_queen() {
    let run = hive_of::<Branch>(None).processes(2).max_concurrency(2);
    let run = match role().as_str() {
        "" => return,
        "auction" => run.dispatch(Dispatch::Auction),
        "ignores" => run
            .dispatch(Dispatch::Credit)
            .workers(WorkerOptions::new().on_interrupt(OnSignal::Ignore)),
        "terminated" => run
            .dispatch(Dispatch::Credit)
            .workers(WorkerOptions::new().on_terminate(OnSignal::Drain)),
        _ => run.dispatch(Dispatch::Credit),
    };
    // Outside of any runtime, as a queen's program may be.
    futures::executor::block_on(run.live(reign));
    assert_eq!(children(), [0_u32; 0]);
    println!("OVER");
}

async fn reign(hive: Hive<Branch>) {
    let folder = Folder::at(env::var_os(FOLDER).unwrap());
    let hold = |_| {
        let tell = |(branch, leaf): (u32, u32)| println!("PIDS {branch} {leaf}");
        hive.late(folder.clone()).on_progress(tell)
    };
    let never_begun = CancelReason::Interrupted {
        begun: 0,
        death: None,
    };
    let interrupted = async {
        hive.interrupted().await;
        let (late, by) = hive.late(folder.clone()).with_bee().await;
        assert_eq!((reason(late), by), (never_begun.clone(), None));
        assert_eq!(hive.spawn().await, None);
        println!("INTERRUPTED");
    };
    let (ends, ()) = join(join_all((0..TASKS).map(hold)), interrupted).await;
    let (done, left): (Vec<_>, Vec<_>) = ends.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), left.len()), (AT_ONCE, TASKS - AT_ONCE));
    assert!(left.into_iter().all(|left| reason(left) == never_begun));
    let stats = hive.stats().await;
    assert!(stats.interrupted && stats.bees_started == 2 && stats.bees_lost == 0);
    println!("DRAINED");
}

/// A queen in a process of her own, at a terminal of her own: signals go to her whole process group.
struct Terminal {
    queen: Scene,
    folder: TempFolder,
}

impl Terminal {
    /// Ready when all tasks run that can.
    fn new(role: &str) -> Self {
        let folder = Folder::temp();
        let mut queen = Scene::of("interrupt::as_queen", role);
        queen.env(FOLDER, folder.path()).process_group(0);
        let mut queen = Scene::start(&mut queen);
        for _ in 0..AT_ONCE {
            queen.read_until("PIDS");
        }
        let terminal = Self { queen, folder };
        assert!(terminal.all_live());
        terminal
    }

    fn all_live(&self) -> bool {
        !self.queen.pids.iter().any(|&pid| is_gone(pid))
    }

    fn ctrl_c(&self) {
        let queen = Pid::from_raw(self.queen.pid().cast_signed()).unwrap();
        kill_process_group(queen, Signal::INT).unwrap();
    }

    /// Waits for the end, and that no bee outlives it. How it was: its code, its signal.
    fn end(self) -> (Option<i32>, Option<i32>) {
        let status = self.queen.end();
        (status.code(), status.signal())
    }
}

/// Case D15: The first Ctrl-C lets bees finish what they have begun, through all levels, and cancels the rest.
#[test_with(check)]
fn the_first_lets_what_runs_go_on_and_cancels_the_rest() {
    for role in ["auction", "credit"] {
        let mut terminal = Terminal::new(role);
        terminal.ctrl_c();
        terminal.queen.read_until("INTERRUPTED");
        // Bees, and theirs, have not heard of it.
        assert!(terminal.all_live());
        terminal.folder.first("go");
        terminal.queen.read_until("DRAINED");
        terminal.queen.read_until("OVER");
        assert_eq!(terminal.end(), (Some(0), None));
    }
}

/// Case D16: The second Ctrl-C ends the queen and all bees at once.
#[test_with(check)]
fn the_second_ends_all_at_once() {
    let mut terminal = Terminal::new("credit");
    terminal.ctrl_c();
    terminal.queen.read_until("INTERRUPTED");
    terminal.ctrl_c();
    assert_eq!(terminal.end(), (None, Some(2)));
}

/// Case H62: With `on_terminate` the first SIGTERM does the same, also when all bees, and theirs, get it too: none of them
/// ends of it.
#[test_with(check)]
fn a_sigterm_to_the_whole_service_drains_where_that_is_wanted() {
    let mut terminal = Terminal::new("terminated");
    let terminate = |queen: &Scene| {
        queen.pids.iter().for_each(|&bee| signal(bee, Signal::TERM));
    };
    terminate(&terminal.queen);
    terminal.queen.signal(Signal::TERM);
    terminal.queen.read_until("INTERRUPTED");
    terminate(&terminal.queen);
    assert!(terminal.all_live());
    terminal.folder.first("go");
    terminal.queen.read_until("DRAINED");
    terminal.queen.read_until("OVER");
    assert_eq!(terminal.end(), (Some(0), None));
}

/// Case H22: With `OnSignal::Ignore` Ctrl-C does what it does without a hive.
#[test_with(check)]
fn the_first_ends_all_at_once_if_so_wanted() {
    let terminal = Terminal::new("ignores");
    terminal.ctrl_c();
    assert_eq!(terminal.end(), (None, Some(2)));
}
