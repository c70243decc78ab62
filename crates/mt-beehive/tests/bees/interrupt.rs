//! Ctrl-C at a terminal: the first lets what runs go on and cancels the rest, the second ends all at once.

use std::{
    env, fs,
    io::{BufRead, BufReader, Lines},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, ChildStdout, Stdio},
    time::Duration,
};

use futures::future::join_all;
use mt_beehive::{
    BeehiveRun, Dispatch, Hive, OnInterrupt, Population, TaskCx, TaskResult, hive_of,
};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::scene::{check, children_of, is_gone, itself, wait_until};

/// What the queen's process is to do.
const ROLE: &str = "MT_TEST_ROLE";
/// The file that tasks wait for.
const GO: &str = "MT_TEST_GO";
/// The tasks that run at once: two bees do two each.
const AT_ONCE: usize = 4;
const TASKS: usize = 10;

#[derive(Default)]
struct Leaf;

#[mt_beehive::worker]
impl Leaf {
    #[task]
    async fn pid(&self) -> u32 {
        std::process::id()
    }
}

#[derive(Default)]
struct Branch;

#[mt_beehive::worker(worker = Leaf)]
impl Branch {
    fn hive(&self) -> BeehiveRun<Leaf> {
        hive_of::<Leaf>(()).population(Population::Fixed(1))
    }

    /// Tells that it has begun, and delegates when it may end.
    #[task]
    async fn hold(&self, cx: &TaskCx, hive: &Hive<Leaf>, go: String) -> Result<u32, String> {
        let leaf = hive.pid().await.0.ok()?;
        cx.progress(&[std::process::id(), leaf]);
        while fs::metadata(&go).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await; // work: until it is told to end
        }
        Ok(hive.pid().await.0.ok()?)
    }
}

/// Where a queen starts that will be interrupted. For the test runner this is nothing.
#[test]
fn as_queen() {
    let dispatch = match env::var(ROLE).as_deref() {
        Ok("auction") => Dispatch::Auction,
        Ok(_) => Dispatch::Credit,
        Err(_) => return,
    };
    let mut run = hive_of::<Branch>(())
        .population(Population::Fixed(2))
        .dispatch(dispatch)
        .max_concurrency(2);
    if env::var(ROLE).as_deref() == Ok("ignores") {
        run = run.on_interrupt(OnInterrupt::Ignore);
    }
    futures::executor::block_on(run.run(reign)).unwrap();
    assert_eq!(children_of(std::process::id()), [0_u32; 0]);
    println!("OVER");
}

async fn reign(hive: Hive<Branch>) {
    let go = env::var(GO).unwrap();
    let hold = |_| {
        let tell = |[branch, leaf]: [u32; 2]| println!("PIDS {branch} {leaf}");
        hive.hold(go.clone()).on_progress(tell)
    };
    let interrupted = async {
        hive.interrupted().await;
        let late = hive.hold(go.clone()).await;
        let (TaskResult::Cancelled { reason }, None) = late else {
            panic!("{late:?}");
        };
        assert_eq!(hive.spawn().await, None);
        println!("INTERRUPTED {reason}");
    };
    let (ends, ()) = futures::join!(join_all((0..TASKS).map(hold)), interrupted);
    let (mut done, mut left) = (0, 0);
    for (result, _) in ends {
        match result {
            TaskResult::Succeeded(_) => done += 1,
            TaskResult::Cancelled { reason } => {
                assert!(reason.starts_with("interrupted: "), "{reason}");
                left += 1;
            }
            TaskResult::Raised(exception) => panic!("{exception}"),
        }
    }
    assert_eq!((done, left), (AT_ONCE, TASKS - AT_ONCE));
    let stats = hive.stats().await;
    assert!(stats.interrupted && stats.bees_started == 2 && stats.bees_lost == 0);
    println!("DRAINED");
}

/// A queen in a process of her own, at a terminal of her own: signals go to her whole process group.
struct Terminal {
    queen: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pids: Vec<u32>,
    go: String,
}

impl Terminal {
    /// Ready when all tasks run that can.
    fn new(role: &str) -> Self {
        let go = format!("mt-interrupt-{role}-{}", std::process::id());
        let go = env::temp_dir().join(go).to_str().unwrap().to_owned();
        let mut queen = itself("interrupt::as_queen");
        queen.env(ROLE, role).env(GO, &go).process_group(0);
        let mut queen = queen.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(queen.stdout.take().unwrap()).lines();
        let mut terminal = Self {
            queen,
            lines,
            pids: Vec::new(),
            go,
        };
        for _ in 0..AT_ONCE {
            let line = terminal.read_until("PIDS ");
            let pids = line.split(' ').map(|pid| pid.parse::<u32>().unwrap());
            terminal.pids.extend(pids);
        }
        assert!(!terminal.pids.iter().any(|&pid| is_gone(pid)));
        terminal
    }

    /// The rest of the next line that has this word.
    fn read_until(&mut self, word: &str) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let rest = lines.find_map(|line| Some(line.split_once(word)?.1.to_owned()));
        rest.unwrap_or_else(|| panic!("she does not say {word}"))
    }

    fn ctrl_c(&self) {
        let queen = Pid::from_child(&self.queen);
        kill_process_group(queen, Signal::INT).unwrap();
    }

    /// Waits for her end, and that no bee outlives her. How it was: its code, its signal.
    fn end(mut self) -> (Option<i32>, Option<i32>) {
        let status = self.queen.wait().unwrap();
        wait_until(|| self.pids.iter().all(|&pid| is_gone(pid)));
        (status.code(), status.signal())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.go);
    }
}

#[test]
fn the_first_lets_what_runs_go_on_and_cancels_the_rest() {
    check(|| {
        for role in ["auction", "credit"] {
            let mut terminal = Terminal::new(role);
            terminal.ctrl_c();
            let reason = terminal.read_until("INTERRUPTED ");
            assert!(reason.contains("nothing of it was done"), "{reason}");
            // Bees, and theirs, have not heard of it.
            assert!(!terminal.pids.iter().any(|&pid| is_gone(pid)));
            fs::write(&terminal.go, "").unwrap();
            terminal.read_until("DRAINED");
            terminal.read_until("OVER");
            assert_eq!(terminal.end(), (Some(0), None));
        }
    });
}

#[test]
fn the_second_ends_all_at_once() {
    check(|| {
        let mut terminal = Terminal::new("credit");
        terminal.ctrl_c();
        terminal.read_until("INTERRUPTED ");
        terminal.ctrl_c();
        assert_eq!(terminal.end(), (None, Some(2)));
    });
}

#[test]
fn the_first_ends_all_at_once_if_so_wanted() {
    check(|| {
        let terminal = Terminal::new("ignores");
        terminal.ctrl_c();
        assert_eq!(terminal.end(), (None, Some(2)));
    });
}
