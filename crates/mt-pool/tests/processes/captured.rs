//! What items print, told with their outcomes.

use std::io::Write;

use bytes::Bytes;
use mt_pool::{CapturedStdout, WorkerStdout};
use serde::{Deserialize, Serialize};

use crate::{
    platform::{
        C_WRITES_LINES, LINE_END, LISTS_QUICKLY, echo, print_by_c, segfault, write_to_stdout,
    },
    prelude::*,
};

const KEPT: usize = CapturedStdout::KEPT_BYTES;

fn captures() -> WorkerOptions {
    discards().stdout(WorkerStdout::Capture)
}

/// The outcomes of a run, in order, each with what was printed.
fn told<T: Task>(run: AsynPmap<T>) -> Vec<(Outcome<T>, CapturedStdout)> {
    let run = run.workers(captures()).start().unwrap();
    run.with_stdout().into_iter().collect()
}

pub(crate) fn texts<T: Task>(run: AsynPmap<T>) -> Vec<String> {
    let told = told(run).into_iter();
    told.map(|(_, stdout)| stdout.text().into_owned()).collect()
}

/// Prints in every way there is, in order. Every fourth item prints nothing, every third one fails.
#[task]
fn prints(n: u64) -> Result<u64, String> {
    if n % 4 != 3 {
        println!("{n} by println");
        print!("{n} by print, ");
        std::io::stdout().flush().unwrap();
        print_by_c(&format!("{n} by printf, "));
        write_to_stdout(b"write, ");
        let said = echo(&format!("{n} by echo")).status();
        assert!(said.unwrap().success());
        print!("{n} at the end");
    }
    match n % 3 {
        2 => Err(format!("no {n}")),
        _ => Ok(n),
    }
}

fn expected(n: u64) -> String {
    match n % 4 {
        3 => String::new(),
        // What is kept in the process is written when the call has ended.
        _ => format!(
            "{n} by println\n{n} by print, write, {n} by echo{LINE_END}{n} at the end{n} by printf, "
        ),
    }
}

/// Case M254: What an item prints comes with its outcome, whoever prints it for the item: Rust, C, a program.
#[test_with(alone)]
fn each_item_has_its_own_text() {
    for (processes, ordered) in [(1, true), (3, true), (2, false)] {
        let run = asyn_pmap::<prints>(0..40).processes(processes);
        let run = run.ordered(ordered).workers(captures()).start().unwrap();
        let mut seen = 0;
        for (outcome, stdout) in run.with_stdout() {
            let n = match &outcome {
                Ok(n) => *n,
                Err(error) => {
                    assert_eq!(error.stdout(), &stdout);
                    assert!(matches!(error.kind(), TaskErrorKind::Raised(_)), "{error}");
                    error.index()
                }
            };
            assert_eq!((&*stdout.text(), stdout.cut_bytes()), (&*expected(n), 0));
            seen += 1;
        }
        assert_eq!(seen, 40);
    }
}

#[task]
fn ends_somehow(how: String) -> u64 {
    println!("one line");
    print_by_c("a line of C\n");
    match &*how {
        "panic" => panic!("oh"),
        "abort" => std::process::abort(),
        "segfault" => segfault(),
        "exit" => std::process::exit(3),
        "hang" => loop {
            std::thread::park();
        },
        _ => 1,
    }
}

/// What has come of what [`ends_somehow`] prints.
fn said_before(how: &str) -> String {
    let is_lost = !C_WRITES_LINES && ["abort", "segfault", "hang"].contains(&how);
    match is_lost {
        true => "one line\n".to_owned(),
        false => format!("one line\na line of C{LINE_END}"),
    }
}

/// Case M255: What was printed before a panic, a crash, an exit or a deadline is in the error.
#[test_with(alone)]
fn text_survives_its_worker() {
    let ways = ["panic", "abort", "segfault", "exit", "hang", "fine"];
    for round in 0..5 {
        let run = asyn_pmap::<ends_somehow>(ways.map(str::to_owned));
        let run = run.processes(1 + round % 2).crash_limit(2);
        let run = run.deadlines(Deadlines::new().hard(Duration::from_millis(300)));
        for (how, (outcome, stdout)) in ways.iter().zip(told(run)) {
            assert_eq!(stdout.text(), said_before(how), "{how}");
            let Err(error) = outcome else {
                assert_eq!(*how, "fine");
                continue;
            };
            assert_eq!(error.stdout(), &stdout);
            match *how {
                "panic" => assert!(matches!(error.kind(), TaskErrorKind::Panicked { .. })),
                "hang" => assert!(matches!(error.kind(), TaskErrorKind::TimedOut { .. })),
                _ => assert!(
                    matches!(error.kind(), TaskErrorKind::Crashed { .. }),
                    "{how}"
                ),
            }
        }
    }
}

/// Prints so many bytes, that say where they are, and may end its process then.
#[task]
fn prints_much(bytes: usize, dies: bool) -> usize {
    let text: Vec<u8> = (0..bytes).map(pattern).collect();
    for piece in text.chunks(50_000) {
        std::io::stdout().write_all(piece).unwrap();
    }
    std::io::stdout().flush().unwrap();
    if dies {
        std::process::abort();
    }
    bytes
}

fn pattern(at: usize) -> u8 {
    b' ' + (at % 89) as u8
}

/// Case M256: Of what an item prints beyond the bound its last bytes are kept, and the others counted.
#[test_with(alone)]
fn the_last_bytes_are_kept() {
    let lengths = [0, 1, KEPT - 1, KEPT, KEPT + 1, 3 * KEPT + 12_345, 8 << 20];
    let inputs = lengths.map(|bytes| [(bytes, false), (bytes, true)]);
    let inputs: Vec<_> = inputs.into_iter().flatten().collect();
    let run = asyn_pmap::<prints_much>(inputs.clone()).processes(2);
    for ((bytes, dies), (outcome, stdout)) in inputs.into_iter().zip(told(run.crash_limit(2))) {
        assert_eq!(outcome.is_err(), dies);
        let cut = bytes.saturating_sub(KEPT);
        let kept: Vec<u8> = (cut..bytes).map(pattern).collect();
        assert!(stdout.bytes() == kept, "{bytes} {dies}");
        assert_eq!(stdout.cut_bytes(), cut as u64, "{bytes} {dies}");
    }
}

/// The items that look at least.
const LOOKS: [u64; 2] = [1000, 9999];

/// What this process has open, and its largest file in memory, as a task sees it.
#[task]
fn prints_a_lot_and_looks(n: u64) -> (usize, u64) {
    println!("{n} {}", "x".repeat(20_000));
    let files = match LISTS_QUICKLY || LOOKS.contains(&n) {
        true => mt_test_kit::descriptors().len(),
        false => 0,
    };
    (files, mt_test_kit::resident_bytes() >> 10)
}

/// Case M257: Ten thousand items that print leave a worker no larger than it was, and with nothing more open.
#[test_with(alone)]
fn items_leave_nothing_behind() {
    let run = asyn_pmap::<prints_a_lot_and_looks>(0..10_000).processes(1);
    let told = told(run);
    assert_eq!(told.len(), 10_000);
    let mut seen = Vec::new();
    for (n, (outcome, stdout)) in told.into_iter().enumerate() {
        assert!(stdout.text().starts_with(&format!("{n} xx")));
        assert_eq!(stdout.cut_bytes(), 0);
        seen.push(outcome.unwrap());
    }
    let [(files, kib), (files_after, kib_after)] = LOOKS.map(|n| seen[n as usize]);
    assert_eq!(files, files_after);
    assert!(kib_after < kib + (16 << 10), "{kib} KiB, then {kib_after}");
}

/// Fails or dies at first, and says which try it was.
#[task]
fn works_at_the_third_try(#[shared] folder: &Folder, dies: bool) -> Result<u64, String> {
    let name = format!("tries-{dies}");
    folder.note(&name, 1);
    let tries = folder.noted(&name).len() as u64;
    println!("try {tries}");
    match tries {
        3 => Ok(tries),
        _ if dies => std::process::abort(),
        _ => Err("not yet".to_owned()),
    }
}

/// Case M258: Of an item that is tried several times, what the last try has printed is told.
#[test_with(in_folder)]
fn the_last_try_is_told(folder: Folder) {
    let run = |dies| {
        let run = asyn_pmap::<works_at_the_third_try>([dies]);
        let run = run.shared(folder.clone()).processes(1);
        run.retries(Retries::new(5).pause(Duration::from_millis(1), Duration::from_millis(1)))
    };
    assert_eq!(texts(run(false)), ["try 3\n"]);
    assert_eq!(texts(run(true)), ["try 3\n"]);
    folder.note("tries-true", 1);
    let gives_up = Folder::temp();
    let run = asyn_pmap::<works_at_the_third_try>([true]).shared(gives_up.clone());
    assert_eq!(texts(run.processes(1).crash_limit(2)), ["try 2\n"]);
}

#[task]
async fn prints_and_waits(n: u64) -> u64 {
    println!("begin {n}");
    tokio::time::sleep(Duration::from_millis(n % 3)).await; // work: what the task waits for
    println!("end {n}");
    n
}

/// Case M259: Items of an `async fn` are captured one at a time, and more at once are refused by the name of
/// the option, as are workers that know no items.
#[test_with(alone)]
fn async_items_run_one_at_a_time() {
    let run = || asyn_pmap::<prints_and_waits>(0..20).processes(2);
    let (option, problem) = refused(run().workers(captures()).start());
    assert_eq!(option, "max_concurrency");
    assert!(problem.contains("1024"), "{problem}");
    let (option, _) = refused(captures().spawn_spec("another", |_| Bytes::new()));
    assert_eq!(option, "workers.stdout");
    let texts = texts(run().max_concurrency(1));
    let expected = |n| format!("begin {n}\nend {n}\n");
    assert_eq!(texts, (0..20).map(expected).collect::<Vec<_>>());
}

/// Case M260: What a call prints comes with its outcome, and with its death; calls of an `async fn`, and pools that do not
/// capture, have nothing to tell and say so.
#[test_with(alone)]
fn calls_have_their_own_text() {
    let pool = || Pool::builder().processes(2).crash_limit(1);
    let pool = pool().workers(captures()).start().unwrap();
    let calls: Vec<_> = (0..30)
        .map(|n| pool.call::<prints>(n).with_stdout())
        .collect();
    let waiting = pool.call::<prints_and_waits>(2).spawn();
    for (n, call) in (0..).zip(calls) {
        let (outcome, stdout) = call.wait();
        assert_eq!(outcome.is_err(), n % 3 == 2);
        assert_eq!(stdout.text(), expected(n));
    }
    assert_eq!(waiting.wait().unwrap(), 2);
    for how in ["abort", "panic", "fine"] {
        let (outcome, stdout) = pool
            .call::<ends_somehow>(how.to_owned())
            .with_stdout()
            .wait();
        assert_eq!(stdout.text(), said_before(how));
        assert!(outcome.map_or_else(|error| *error.stdout() == stdout, |_| how == "fine"));
    }
    let not_started = |pool: &Pool| {
        let (outcome, stdout) = pool.call::<prints_and_waits>(1).with_stdout().wait();
        assert!(stdout.is_empty());
        assert!(matches!(
            outcome.unwrap_err().kind(),
            TaskErrorKind::NotStarted(_)
        ));
    };
    not_started(&pool);
    not_started(&Pool::builder().processes(1).start().unwrap());
}

/// Prints, and once more when nobody's item runs any more: as its result is dropped.
#[task]
fn prints_late(n: u64) -> Late {
    println!("item {n}");
    Late(n)
}

#[derive(Serialize, Deserialize)]
struct Late(u64);

impl Drop for Late {
    fn drop(&mut self) {
        println!("late {}", self.0);
    }
}

/// Case M261: A worker of a pool that captures is used again, what is printed between runs is nobody's, and a run that
/// does not capture tells nothing.
#[test_with(alone)]
fn runs_of_a_pool_have_their_own_text() {
    let pool = Pool::builder().processes(1).start().unwrap();
    for round in 0..3 {
        let run = asyn_pmap::<prints_late>(0..4).pool(&pool);
        let expected = (0..4).map(|n| format!("item {n}\n"));
        assert_eq!(texts(run), expected.collect::<Vec<_>>(), "{round}");
    }
    let plain = asyn_pmap::<ends_somehow>(["panic".to_owned()])
        .processes(1)
        .workers(discards());
    for (outcome, stdout) in plain.start().unwrap().with_stdout() {
        assert!(stdout.is_empty() && outcome.unwrap_err().stdout().is_empty());
    }
}
