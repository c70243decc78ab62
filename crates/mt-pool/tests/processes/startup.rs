//! Workers that do not come up: the wrong program, no program, no descriptors left.

use std::{env, path::Path};

use mt_test_kit::{sets, worker_after};

use crate::{platform, prelude::*};

/// Why every item of a run with this worker program has no value.
fn refused_by(program: impl AsRef<Path>) -> String {
    let run = asyn_pmap::<double>(0..20).workers(WorkerOptions::new().program(program.as_ref()));
    let report = complete(run.processes(2), 20);
    (0..20).for_each(|index| drop(report.no_workers(index).to_string()));
    report.error(0).to_string()
}

/// The same of a program of the shell, which says all this.
fn script_is_refused(text: &str, says: &[&str]) {
    let why = refused_by(Folder::temp().script("program", text));
    assert!(says.iter().all(|what| why.contains(what)), "{why}");
}

#[test_with(alone)]
fn a_program_that_ends_at_once() {
    script_is_refused(
        platform::EXITS_0,
        &["exited with code 0", "mt_pool::init()"],
    );
    script_is_refused(
        platform::EXITS_1,
        &["exited with code 1", "mt_pool::init()"],
    );
}

/// Case 17: A program that does not contain this library is known for that at once.
#[test_with(alone)]
fn a_program_that_lives_and_says_nothing() {
    for program in platform::SAY_NOTHING {
        let says = [
            "said nothing",
            "does not contain mt-pool",
            "mt_pool::init()",
        ];
        script_is_refused(program, &says);
    }
}

/// What tells a worker to start slowly, by so many milliseconds.
const SLOW_START: &str = "MT_TEST_SLOW_START";

/// A worker program that is this one, started by a shell that does something before.
fn started_after(what: &str) -> WorkerOptions {
    WorkerOptions::new().program(worker_after(what))
}

/// Whoever the shell waits for, in a wrapper or in a constructor of the program: nobody is given up for being slow.
///
/// Case 17: A worker whose start takes its time is waited for, and is told of after 2 s.
#[test_with(alone)]
fn a_start_that_takes_long() {
    for (before, is_told) in [
        (platform::SLEEPS.to_owned(), false),
        (sets(SLOW_START, "700"), false),
        (sets(SLOW_START, "2300"), true),
    ] {
        let run = asyn_pmap::<double>(0..20).processes(2);
        let report = complete(run.workers(started_after(&before)), 20);
        assert_eq!(report.failed(), [0_usize; 0], "{before}");
        assert_eq!(report.stats.workers_died, 0);
        let slow = report.told(|event| matches!(event, PoolEvent::WorkerSlow { .. }));
        assert_eq!(slow > 0, is_told, "{before}");
    }
}

/// Case 17: A worker that says nothing within the start limit is given up, and the error says what to do.
#[test_with(alone)]
fn a_start_that_takes_too_long() {
    let workers = started_after(&sets(SLOW_START, "100000"));
    let workers = workers.start_limit(Duration::from_millis(900));
    let run = asyn_pmap::<double>(0..20).processes(1).workers(workers);
    let why = complete(run, 20).no_workers(0).to_string();
    assert!(
        why.contains("start_limit") && why.contains("init()"),
        "{why}"
    );
    assert!(why.contains("1.0 s"), "looks are 0.2 s apart: {why}");
}

/// The pool's process is stopped while its worker starts. The time of that is nobody's.
///
/// Case 17: A host that is stopped while its only worker starts does not give that worker up.
#[test_with(alone, not_on(windows, "a program of the shell can't stop a process"))]
fn a_host_that_is_stopped_while_a_worker_starts() {
    let workers = started_after("kill -STOP $PPID; sleep 1.5; kill -CONT $PPID");
    let workers = workers.start_limit(Duration::from_secs(1));
    let run = asyn_pmap::<double>(0..20).processes(1).workers(workers);
    assert_eq!(complete(run, 20).failed(), [0_usize; 0]);
}

/// Case 39: A worker process that could not start says why, and the error says that and nothing else.
#[test_with(
    alone,
    not_on(windows, "there is no limit on open handles that a shell could set")
)]
fn a_worker_that_can_not_start_says_why() {
    // No room for the thread of its link, and no address space for anything else.
    let why = fails_with(started_after("ulimit -n 5"));
    assert!(why.contains("can't work: "), "{why}");
    assert!(!why.contains("init()"), "{why}");
    // A worker's name, and no connection of ours.
    let why = fails_with(started_after("exec </dev/null"));
    assert!(why.contains("no connection to a parent"), "{why}");
    assert!(!why.contains("init()"), "{why}");
}

fn fails_with(workers: WorkerOptions) -> String {
    let run = asyn_pmap::<double>(0..20).processes(1).workers(workers);
    complete(run, 20).no_workers(0).to_string()
}

/// Case 39: A program that was started by hand under a worker's name says what is wrong.
#[test]
fn a_worker_s_name_without_a_parent() {
    let mut own = platform::marked_as_worker(&env::current_exe().unwrap());
    own.args(["mt_pool_worker", "--exact", "--nocapture"]);
    let output = own.stdin(std::process::Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no connection to a parent"), "{said}");
    assert_eq!(output.status.code(), Some(70));
}

#[task]
fn length_of(#[shared] texts: &[String; 1], _: u64) -> usize {
    texts[0].len()
}

/// Case 30: A shared value whose transfer takes longer than the time that a silent worker has is received.
#[test_with(alone)]
fn a_shared_value_that_takes_longer_than_beats_may() {
    let text = "x".repeat(300 << 20);
    let run = asyn_pmap::<length_of>(0..2).shared([text]).processes(1);
    let run = run.workers(WorkerOptions::new().liveness(beats(100, 3)));
    let report = complete(run, 2);
    assert_eq!(report.stats.workers_started, 1);
    assert_eq!(report.values(), [300 << 20; 2]);
}

#[task]
fn repeats(text: String) -> String {
    text
}

/// Case 30: An item and a result of any length cross, however short the time that a silent worker has.
#[test_with(alone)]
fn items_and_results_that_take_longer_than_beats_may() {
    let text = "x".repeat(300 << 20);
    let run = asyn_pmap::<repeats>([text]).processes(1);
    let run = run.workers(WorkerOptions::new().liveness(beats(100, 3)));
    let report = complete(run, 1);
    assert_eq!(report.stats.workers_started, 1);
    assert_eq!(report.values()[0].len(), 300 << 20);
}

#[test_with(
    alone,
    not_on(windows, "a program of the shell can't write to its standard input")
)]
fn a_program_that_says_something_else() {
    script_is_refused("echo hello, world >&0; exec sleep 1000", &["hello"]);
}

/// Case M103: A program that is not there is why there are no workers, by its path.
#[test_with(in_folder)]
fn a_program_that_is_not_there(folder: Folder) {
    let why = refused_by("/nowhere/at/all");
    assert!(why.contains("/nowhere/at/all"), "{why}");
    assert!(folder.first("no-program"));
    assert!(refused_by(folder.file("no-program")).contains("no-program"));
}
