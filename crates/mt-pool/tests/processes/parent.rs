//! The parent dies, leaves, or is interrupted.

use std::process::Stdio;

use mt_test_kit::{
    Scene,
    ends::{self, End},
    role,
};

use crate::{platform, prelude::*};

#[task]
fn brief(n: u64) -> u64 {
    thread::sleep(Duration::from_millis(1)); // work: so that there is something to interrupt
    n
}

/// Holds so many MiB for as long as its worker lives, long enough for others to have some too.
#[task]
fn holds(mebibytes: usize) -> u64 {
    Box::leak(vec![1_u8; mebibytes << 20].into_boxed_slice());
    thread::sleep(Duration::from_millis(200)); // work: meanwhile the others begin
    u64::from(std::process::id())
}

/// Where a parent starts. For the test runner this is nothing.
#[test]
fn as_parent() {
    match role().as_str() {
        "killed" => with_descendants(thread::park),
        "holds memory" => {
            // 64 MiB each and not the 500 of the report: how much is held makes no difference to what this library
            // does, only to how long the kernel frees it, and not every machine has 4 GiB to spare.
            let run = asyn_pmap::<holds>([64; 8].into_iter().chain(iter::repeat(0)));
            let mut run = run.processes(8).capacity(8).start().unwrap().into_iter();
            tell(run.by_ref().take(8).map(Result::unwrap));
            thread::park();
        }
        "returns" => with_descendants(|| {}),
        "aborts" => with_descendants(|| std::process::abort()),
        "panics" => with_descendants(|| panic!("out of main")),
        "nests" => nests(),
        "iterates" => leaves_works(|| {}),
        "iterates and is killed" => leaves_works(thread::park),
        "drains" => drains(WorkerOptions::new()),
        "handles it" => {
            let handled = platform::flag_on(Signal::INT);
            drains(WorkerOptions::new());
            assert!(handled.load(Ordering::SeqCst));
        }
        "interrupted" => interrupted(),
        "interrupted between tries" => interrupted_between_tries(),
        _ => {}
    }
}

fn tell(pids: impl Iterator<Item = u64>) {
    let pids: Vec<String> = pids.map(|pid| pid.to_string()).collect();
    println!("PIDS {}", pids.join(" "));
}

/// Tells the pids of workers and of what they have left, and ends with a run alive.
pub(crate) fn with_descendants(end: impl FnOnce()) {
    let deeds = (0..).map(|n| match n {
        0 | 2 => Deed::Pid,
        1 => Deed::Leave { detached: false },
        3 => Deed::Leave { detached: true },
        n => Deed::Return(n),
    });
    let run = asyn_pmap::<act>(deeds).processes(2).capacity(100);
    let mut run = run.start().unwrap().into_iter();
    tell(run.by_ref().take(4).map(Result::unwrap));
    std::mem::forget(run);
    end();
}

/// Leaves a run alive behind it, in its worker, and returns the pids of that run's worker and of what
/// a task has left there.
#[task]
fn leaves_a_run(_: u64) -> Vec<u64> {
    let deeds = [Deed::Pid, Deed::Leave { detached: true }];
    let run = asyn_pmap::<act>(deeds.into_iter().cycle()).processes(1);
    let mut run = run.capacity(2).start().unwrap().into_iter();
    let pids = run.by_ref().take(2).map(Result::unwrap).collect();
    std::mem::forget(run);
    pids
}

fn nests() {
    let run = asyn_pmap::<leaves_a_run>(0..).processes(2).capacity(2);
    let mut run = run.start().unwrap().into_iter();
    tell(run.by_ref().take(4).flat_map(Result::unwrap));
    thread::park();
}

/// Tells the pids of workers and of what they have left, and ends with an iterator that nobody closes
/// and that another thread waits for.
fn leaves_works(end: impl FnOnce()) {
    let mut deeds = [vec![Deed::Pid; 8], vec![Deed::Block; 1000]].concat();
    deeds[1] = Deed::Leave { detached: false };
    deeds[3] = Deed::Leave { detached: true };
    let builder = WorkIterator::<act_by_id>::builder().shared(deeds);
    let works = builder.processes(2).start().unwrap();
    let works: &WorkIterator<act_by_id> = Box::leak(Box::new(works));
    tell(works.iter().take(8).map(|item| item.unwrap().1.unwrap()));
    thread::spawn(|| works.iter().for_each(drop));
    end();
}

/// Is interrupted in the middle, and tells what came of it.
pub(crate) fn drains(workers: WorkerOptions) {
    let run = asyn_pmap::<brief>(0..).processes(2).capacity(1000);
    let run = run.workers(workers).observe(|event| {
        if let PoolEvent::WorkerStarted { pid, .. } = event {
            println!("WORKER {pid}");
        }
    });
    let mut run = run.start().unwrap().indexed().into_iter();
    let (mut next, mut done, mut cancelled) = (0, 0, 0);
    for (index, outcome) in run.by_ref() {
        assert_eq!(index, next, "one outcome each");
        next += 1;
        match outcome {
            Ok(_) => done += 1,
            Err(error) => {
                assert_is!(*error.kind(), TaskErrorKind::Cancelled);
                assert_eq!(error.item::<u64>().unwrap().unwrap(), index);
                cancelled += 1;
            }
        }
        if next == 100 {
            println!("PIDS");
        }
    }
    let stats = run.stats();
    assert!(stats.interrupted && stats.outstanding == 0 && stats.workers_died == 0);
    println!("DRAINED {done} {cancelled}");
}

fn interrupted() {
    let run = asyn_pmap::<forever>(0..10).processes(2);
    let run = run.observe(|event| match event {
        PoolEvent::WorkerReady { .. } => println!("READY"),
        PoolEvent::WorkerStarted { pid, .. } => println!("PIDS {pid}"),
        PoolEvent::Interrupted => println!("INTERRUPTED"),
        _ => {}
    });
    run.start().unwrap().into_iter().for_each(drop);
}

#[task]
fn fails(n: u64) -> Result<u64, u64> {
    thread::sleep(Duration::from_millis(1)); // work: so that there is something to interrupt
    Err(n)
}

/// Is interrupted while some items wait for their next try, some have one, and some had none.
fn interrupted_between_tries() {
    let pause = Duration::from_millis(20);
    let run = asyn_pmap::<fails>(0..).retries(Retries::new(1000).pause(pause, pause));
    let run = run.processes(2).capacity(100).start().unwrap();
    let (events, mut tried) = (run.events(), 0);
    println!("PIDS");
    let watch = thread::spawn(|| {
        let mut told = events.into_iter();
        told.any(|event| matches!(event, PoolEvent::Interrupted))
    });
    for outcome in run {
        let error = outcome.unwrap_err();
        assert_is!(error.kind(), TaskErrorKind::Cancelled);
        assert_eq!(error.item::<u64>().unwrap().unwrap(), error.index());
        tried += u32::from(error.attempts() > 0);
    }
    assert!(watch.join().unwrap());
    println!("TRIED {tried}");
}

fn start(role: &str) -> Scene {
    let mut command = Scene::of("parent::as_parent", role);
    let mut parent = Scene::start(command.stderr(Stdio::null()));
    parent.read_until("PIDS");
    parent
}

/// Waits for its end, and that nothing outlives it. Returns how it ended.
pub(crate) fn end(parent: Scene) -> End {
    ends::end_of(parent.end())
}

/// So many processes are told of; none of them outlives the parent that is killed.
fn is_killed(role: &str, pids: usize) {
    let parent = start(role);
    assert_eq!(parent.pids.len(), pids);
    parent.signal(Signal::KILL);
    assert_eq!(end(parent), ends::KILL);
}

/// Case R44: When the parent is killed its workers are gone, and so is all that their tasks have started.
#[test]
fn killed() {
    is_killed("killed", 4);
}

/// Case P6: workers that hold much memory go with a host that is killed.
#[test]
fn killed_with_much_memory_in_workers() {
    is_killed("holds memory", 8);
}

#[test]
fn killed_above_runs_inside_tasks() {
    is_killed("nests", 8);
}

#[test]
fn leaves_with_a_run_alive() {
    assert_eq!(end(start("returns")), (Some(0), None));
    assert_eq!(end(start("panics")), (Some(101), None));
    assert_eq!(end(start("aborts")), ends::ABORT);
}

#[test]
fn nobody_has_to_close_an_iterator() {
    assert_eq!(end(start("iterates")), (Some(0), None));
    is_killed("iterates and is killed", 8);
}

/// The program drains its run when it is interrupted, and ends.
fn is_drained(role: &str) {
    let mut parent = start(role);
    parent.signal(Signal::INT);
    let told = parent.read_until("DRAINED");
    let (done, cancelled) = told.trim_start_matches("DRAINED ").split_once(' ').unwrap();
    assert!(done.parse::<u64>().unwrap() >= 100);
    assert_ne!(cancelled, "0", "the rest is cancelled");
    assert_eq!(end(parent), (Some(0), None));
}

/// Case M90: The first Ctrl-C finishes what runs and cancels the rest.
#[test]
fn the_first_interrupt_drains() {
    is_drained("drains");
}

/// Case M92: A handler of Ctrl-C that the program had before its first run is called too.
#[test]
fn a_handler_that_the_program_had_before_is_called_too() {
    is_drained("handles it");
}

/// Case 31: Ctrl-C tells no item with retries left by its last error, whether it waits, runs or was never tried.
#[test]
fn an_interrupt_between_tries_tells_no_error_as_final() {
    let mut parent = start("interrupted between tries");
    let pid = parent.pid();
    wait_until(|| !mt_test_kit::children_of(pid).is_empty());
    parent.signal(Signal::INT);
    parent.read_until("TRIED");
    assert_eq!(end(parent), (Some(0), None));
}

/// Case M91: The second Ctrl-C ends the process at once, with its workers.
#[test]
fn the_second_interrupt_ends_at_once() {
    let mut parent = start("interrupted");
    parent.read_until("READY");
    parent.read_until("READY");
    parent.signal(Signal::INT);
    parent.read_until("INTERRUPTED");
    assert_eq!(parent.pids.len(), 2);
    parent.signal(Signal::INT);
    assert_eq!(end(parent), ends::INTERRUPT);
}
