//! The parent dies, leaves, or is interrupted.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Stdio},
    thread,
    time::Duration,
};

use mt_pool::{PoolEvent, TaskErrorKind, WorkIterator, asyn_pmap, task};
use mt_test_kit::{is_gone, itself, wait_until, watchdog};
use rustix::process::{Pid, Signal, kill_process};

use crate::deed::{Deed, act};

const ROLE: &str = "MT_TEST_PARENT";

#[task]
fn forever(_: u64) {
    thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
}

/// Does not come back for a number it has no deed for.
#[task]
fn act_by_id(#[shared] deeds: &[Deed], n: u64) -> u64 {
    match deeds.get(n as usize) {
        Some(deed) => deed.clone().act(),
        None => {
            thread::sleep(Duration::from_secs(1000)); // work: never gets anywhere
            n
        }
    }
}

#[task]
fn brief(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(1)); // work: so that there is something to interrupt
    n
}

/// Where a parent starts. For the test runner this is nothing.
#[test]
fn as_parent() {
    let role = env::var(ROLE).unwrap_or_default();
    match role.as_str() {
        "killed" => with_descendants(thread::park),
        "returns" => with_descendants(|| {}),
        "aborts" => with_descendants(|| std::process::abort()),
        "panics" => with_descendants(|| panic!("out of main")),
        "nests" => nests(),
        "iterates" => leaves_works(|| {}),
        "iterates and is killed" => leaves_works(thread::park),
        "drains" => drains(),
        "interrupted" => interrupted(),
        _ => {}
    }
}

/// Tells the pids of workers and of what they have left, and ends with a run alive.
fn with_descendants(end: impl FnOnce()) {
    let deeds = (0..).map(|n| match n {
        0 | 2 => Deed::Pid,
        1 => Deed::Leave { detached: false },
        3 => Deed::Leave { detached: true },
        n => Deed::Return(n),
    });
    let run = asyn_pmap::<act>(deeds).pool_processes(2).capacity(100);
    let mut run = run.start().unwrap().into_iter();
    let pids: Vec<String> = run
        .by_ref()
        .take(4)
        .map(|pid| pid.unwrap().to_string())
        .collect();
    println!("PIDS {}", pids.join(" "));
    std::mem::forget(run);
    end();
}

/// Leaves a run alive behind it, in its worker, and returns the pids of that run's worker and of what
/// a task has left there.
#[task]
fn leaves_a_run(_: u64) -> Vec<u64> {
    let deeds = [Deed::Pid, Deed::Leave { detached: true }];
    let run = asyn_pmap::<act>(deeds.into_iter().cycle())
        .pool_processes(1)
        .capacity(2);
    let mut run = run.start().unwrap().into_iter();
    let pids = run.by_ref().take(2).map(Result::unwrap).collect();
    std::mem::forget(run);
    pids
}

fn nests() {
    let run = asyn_pmap::<leaves_a_run>(0..).pool_processes(2).capacity(2);
    let mut run = run.start().unwrap().into_iter();
    let pids: Vec<u64> = run.by_ref().take(4).flat_map(Result::unwrap).collect();
    let pids: Vec<String> = pids.iter().map(u64::to_string).collect();
    println!("PIDS {}", pids.join(" "));
    thread::park();
}

/// Tells the pids of workers and of what they have left, and ends with an iterator that nobody closes
/// and that another thread waits for.
fn leaves_works(end: impl FnOnce()) {
    let mut deeds = vec![Deed::Pid; 8];
    deeds[1] = Deed::Leave { detached: false };
    deeds[3] = Deed::Leave { detached: true };
    let builder = WorkIterator::<act_by_id>::builder().shared(deeds);
    let works = builder.max_num_workers(2).start().unwrap();
    let works: &WorkIterator<act_by_id> = Box::leak(Box::new(works));
    let pids: Vec<String> = works
        .iter()
        .take(8)
        .map(|item| item.unwrap().1.to_string())
        .collect();
    println!("PIDS {}", pids.join(" "));
    thread::spawn(|| works.iter().for_each(drop));
    end();
}

/// Is interrupted in the middle, and tells what came of it.
fn drains() {
    let run = asyn_pmap::<brief>(0..).pool_processes(2).capacity(1000);
    let mut run = run.start().unwrap().indexed().into_iter();
    let (mut next, mut done, mut cancelled) = (0, 0, 0);
    for (index, outcome) in run.by_ref() {
        assert_eq!(index, next, "one outcome each");
        next += 1;
        match outcome {
            Ok(_) => done += 1,
            Err(error) => {
                assert!(matches!(error.kind(), TaskErrorKind::Cancelled), "{error}");
                assert_eq!(error.item::<u64>().unwrap().unwrap(), index);
                cancelled += 1;
            }
        }
        if next == 100 {
            println!("PIDS");
        }
    }
    let stats = run.stats();
    assert!(stats.interrupted && stats.outstanding == 0);
    println!("DRAINED {done} {cancelled}");
}

fn interrupted() {
    let run = asyn_pmap::<forever>(0..10).pool_processes(2);
    let run = run.observe(|event| match event {
        PoolEvent::WorkerReady { .. } => println!("READY"),
        PoolEvent::WorkerStarted { pid, .. } => println!("PIDS {pid}"),
        PoolEvent::Interrupted => println!("INTERRUPTED"),
        _ => {}
    });
    run.start().unwrap().into_iter().for_each(drop);
}

struct Parent {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pids: Vec<u32>,
}

impl Parent {
    fn start(role: &str) -> Self {
        let mut command = itself("parent::as_parent");
        command
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut parent = Self {
            process,
            lines,
            pids: Vec::new(),
        };
        parent.read_until("PIDS");
        parent
    }

    /// Reads on until a line with this word, and collects pids.
    fn read_until(&mut self, word: &str) -> String {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            if let Some((_, pids)) = line.split_once("PIDS") {
                let pids = pids.split_ascii_whitespace();
                self.pids
                    .extend(pids.map(|pid| pid.parse::<u32>().unwrap()));
            }
            if line.contains(word) {
                return line;
            }
        }
        panic!("the parent does not say {word}");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end, and that nothing outlives it. Returns how it ended.
    fn end(mut self) -> (Option<i32>, Option<i32>) {
        use std::os::unix::process::ExitStatusExt;
        let status = self.process.wait().unwrap();
        wait_until(|| self.pids.iter().all(|&pid| is_gone(pid)));
        (status.code(), status.signal())
    }
}

#[test]
fn killed() {
    let _watchdog = watchdog("killed");
    let parent = Parent::start("killed");
    assert_eq!(parent.pids.len(), 4);
    parent.signal(Signal::KILL);
    assert_eq!(parent.end(), (None, Some(9)));
}

#[test]
fn killed_above_runs_inside_tasks() {
    let _watchdog = watchdog("nests");
    let parent = Parent::start("nests");
    assert_eq!(parent.pids.len(), 8);
    parent.signal(Signal::KILL);
    assert_eq!(parent.end(), (None, Some(9)));
}

#[test]
fn leaves_with_a_run_alive() {
    let _watchdog = watchdog("leaves");
    assert_eq!(Parent::start("returns").end(), (Some(0), None));
    assert_eq!(Parent::start("panics").end(), (Some(101), None));
    assert_eq!(Parent::start("aborts").end(), (None, Some(6)));
}

#[test]
fn nobody_has_to_close_an_iterator() {
    let _watchdog = watchdog("nobody closes");
    assert_eq!(Parent::start("iterates").end(), (Some(0), None));
    let parent = Parent::start("iterates and is killed");
    parent.signal(Signal::KILL);
    assert_eq!(parent.end(), (None, Some(9)));
}

#[test]
fn the_first_interrupt_drains() {
    let _watchdog = watchdog("drains");
    let mut parent = Parent::start("drains");
    parent.signal(Signal::INT);
    let told = parent.read_until("DRAINED");
    let mut counts = told
        .split(' ')
        .rev()
        .map(|word| word.parse::<u64>().unwrap());
    assert!(counts.next().unwrap() > 0, "the rest is cancelled");
    assert!(counts.next().unwrap() >= 100);
    assert_eq!(parent.end(), (Some(0), None));
}

#[test]
fn the_second_interrupt_ends_at_once() {
    let _watchdog = watchdog("interrupted");
    let mut parent = Parent::start("interrupted");
    parent.read_until("READY");
    parent.read_until("READY");
    parent.signal(Signal::INT);
    parent.read_until("INTERRUPTED");
    assert_eq!(parent.pids.len(), 2);
    parent.signal(Signal::INT);
    assert_eq!(parent.end(), (None, Some(2)));
}
