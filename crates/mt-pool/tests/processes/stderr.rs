//! What workers write to their standard error: it is passed on as it is, its end outlives the worker,
//! and nobody can use it to hold up the pool.

use std::{
    fs::{self, File},
    io::{Read, Seek, Write},
    iter,
    os::fd::{AsFd, OwnedFd},
    process::{self, Command},
    sync::mpsc::sync_channel,
};

use mt_pool::{
    AsynPmap, TaskErrorKind, WorkerStderr, asyn_pmap,
    events::PoolEvent,
    limits::WorkerOptions,
    supervision::{Death, LastWords},
    task,
};
use mt_test_kit::{Folder, Signal, is_gone, signal, wait_until, wait_until_gone};
use rustix::stdio::{dup2_stderr, stderr};
use serde::{Deserialize, Serialize};

use crate::{
    deed::overflow,
    platform,
    report::{Outcome, complete},
    scene::check,
};

/// What an item makes its task write, and what comes after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Words {
    /// Nothing.
    None,
    /// These bytes.
    Then(Vec<u8>, End),
    /// So many lines of 32 bytes.
    Lines(usize, End),
    /// Two panics, the second while the first unwinds.
    PanicTwice,
    /// A panic that its own code catches, then an abort.
    CaughtPanic,
    FreeTwice,
    Overflow,
    /// A child in a session of its own that writes and holds standard error for ever.
    Stray,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum End {
    Return,
    Abort,
    Kill,
}

#[task]
fn utter(words: Words) -> u32 {
    match words {
        Words::None => {}
        Words::Then(bytes, end) => {
            std::io::stderr().write_all(&bytes).unwrap();
            end.come();
        }
        Words::Lines(count, end) => {
            let mut out = std::io::stderr().lock();
            (0..count).for_each(|line| out.write_all(format!("{line:31}\n").as_bytes()).unwrap());
            end.come();
        }
        Words::PanicTwice => {
            let _bomb = Bomb;
            panic!("the first\u{7}");
        }
        Words::CaughtPanic => {
            let _ = std::panic::catch_unwind(|| panic!("caught"));
            process::abort();
        }
        Words::FreeTwice => platform::free_twice(),
        Words::Overflow => drop(overflow(1)),
        Words::Stray => stray(),
    }
    process::id()
}

impl End {
    fn come(self) {
        match self {
            Self::Return => {}
            Self::Abort => process::abort(),
            Self::Kill => signal(process::id(), Signal::KILL),
        }
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the second");
    }
}

fn stray() {
    let script = "echo stray $$ >&2; exec sleep 1000";
    let mut command = Command::new("setsid");
    // The words come before the end of their writer's parent.
    let child = command.args(["sh", "-c", script]).spawn().unwrap();
    let out = format!("/proc/{}/cmdline", child.id());
    wait_until(|| fs::read_to_string(&out).unwrap().starts_with("sleep"));
    process::abort();
}

/// Workers whose standard error is not what the test prints.
fn discards() -> WorkerOptions {
    WorkerOptions::new().stderr(WorkerStderr::Discard)
}

/// One worker and one try.
fn run(words: impl IntoIterator<Item = Words>) -> AsynPmap<utter> {
    let words: Vec<Words> = words.into_iter().collect();
    asyn_pmap::<utter>(words).processes(1).crash_limit(1)
}

/// The last words of the worker that one item ends.
fn last_words(words: Words) -> LastWords {
    let run = run([words]).workers(discards());
    complete(run, 1).crash(0).0.last_words
}

/// The outcomes of one worker that gets each item when the one before has its outcome: a death takes
/// nothing back.
fn one_by_one(words: Vec<Words>) -> Vec<Outcome<utter>> {
    let (told, tell) = sync_channel::<()>(1);
    let words = words.into_iter().enumerate().map(move |(index, words)| {
        if index > 0 {
            tell.recv().unwrap();
        }
        words
    });
    let run = asyn_pmap::<utter>(words).processes(1).crash_limit(1);
    let outcomes = run.start().unwrap().into_iter();
    outcomes
        .inspect(|_| told.try_send(()).unwrap_or_default())
        .collect()
}

fn death(outcome: &Outcome<utter>) -> &Death {
    match outcome.as_ref().unwrap_err().kind() {
        TaskErrorKind::Crashed { death, .. } => death,
        other => panic!("{other:?}"),
    }
}

/// Runs with this as standard error.
fn with_stderr<R>(file: impl AsFd, run: impl FnOnce() -> R) -> R {
    let before = stderr().try_clone_to_owned().unwrap();
    dup2_stderr(file).unwrap();
    let result = run();
    dup2_stderr(before).unwrap();
    result
}

/// Runs, and returns what was written to standard error by the time there is `enough` of it.
fn seen<R>(enough: usize, run: impl FnOnce() -> R) -> (R, Vec<u8>) {
    let mut file = tempfile::tempfile().unwrap();
    let result = with_stderr(&file, || {
        let result = run();
        wait_until(|| file.metadata().unwrap().len() >= enough as u64);
        result
    });
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    (result, bytes)
}

fn bytes(text: &str, end: End) -> Words {
    Words::Then(text.into(), end)
}

#[test]
fn what_dying_code_says_is_told() {
    check(|| {
        for (words, expected) in [
            (bytes("half a li", End::Kill), "half a li"),
            (bytes("goodbye\n", End::Abort), "goodbye\n"),
            (Words::FreeTwice, "double free"),
            (Words::Overflow, "has overflowed its stack"),
            (Words::PanicTwice, "the first\u{7}"),
            (Words::PanicTwice, "the second"),
        ] {
            let said = last_words(words.clone());
            let text = String::from_utf8(said.stderr().to_vec()).unwrap();
            assert!(text.contains(expected), "{words:?}: {said:?}");
        }
    });
}

#[test]
fn silence_is_told_as_silence() {
    check(|| {
        for words in [Words::CaughtPanic, bytes("", End::Kill)] {
            let report = complete(run([words]), 1);
            assert!(report.crash(0).0.last_words.is_empty());
            let shown = report.error(0).to_string();
            assert!(!shown.contains("last words"), "{shown}");
        }
    });
}

#[test]
fn words_are_shown_with_the_error_and_obeyed_by_no_terminal() {
    check(|| {
        let words = Words::Then(b"first\n\x1b[2Jsecond\xff".to_vec(), End::Abort);
        let report = complete(run([words]).workers(discards()), 1);
        let shown = report.error(0).to_string();
        let words = "its last words:\nfirst\n\\u{1b}[2Jsecond\u{fffd}";
        assert!(shown.ends_with(words), "{shown}");
        let words = report.crash(0).0.last_words;
        assert_eq!(words.stderr(), b"first\n\x1b[2Jsecond\xff");
    });
}

#[test]
fn only_the_end_of_much_is_kept() {
    check(|| {
        let words = last_words(Words::Lines(100_000, End::Abort));
        assert_eq!(words.stderr().len(), LastWords::STDERR_BYTES);
        assert!(words.stderr().ends_with(b"99999\n"));
        let written = words.cut_bytes() + LastWords::STDERR_BYTES as u64;
        assert_eq!(written, 100_000 * 32);
    });
}

/// Every death of an item has the words of its own worker, and deaths of others have theirs.
#[test]
fn words_are_those_of_the_worker_that_died() {
    check(|| {
        let words = (0..30).map(|n| match n % 3 {
            0 => bytes(&format!("<{n}>"), End::Abort),
            _ => bytes("noise", End::Return),
        });
        let run = run(words).processes(3);
        let report = complete(run.workers(discards()), 30);
        for index in (0..30).step_by(3) {
            let words = report.crash(index).0.last_words.to_string();
            assert!(words.ends_with(&format!("<{index}>")), "{words}");
        }
    });
}

#[test]
fn what_is_written_is_passed_on_as_it_is() {
    check(|| {
        let odd = b"\xff\0\x1b[1m no line".to_vec();
        let words = [
            Words::Lines(10_000, End::Return),
            Words::Then(odd.clone(), End::Abort),
        ];
        let mut expected: Vec<u8> = (0..10_000)
            .flat_map(|line| format!("{line:31}\n").into_bytes())
            .collect();
        expected.extend_from_slice(&odd);
        let (report, passed_on) = seen(expected.len(), || complete(run(words), 2));
        assert!(passed_on == expected, "{} bytes", passed_on.len());
        assert!(report.crash(1).0.last_words.stderr().ends_with(&odd));
    });
}

#[test]
fn what_is_discarded_is_kept_and_what_is_inherited_is_not() {
    check(|| {
        for (mode, is_seen, is_kept) in [
            (WorkerStderr::Forward, true, true),
            (WorkerStderr::Discard, false, true),
            (WorkerStderr::Inherit, true, false),
        ] {
            let run = run([bytes("words", End::Abort)]).workers(WorkerOptions::new().stderr(mode));
            let enough = if is_seen { 5 } else { 0 };
            let (report, passed_on) = seen(enough, || complete(run, 1));
            assert_eq!(passed_on == b"words", is_seen, "{mode:?}");
            let words = report.crash(0).0.last_words;
            assert_eq!(words.stderr() == b"words", is_kept, "{mode:?}");
        }
    });
}

/// Something the worker has started lives on and holds its standard error open.
#[test]
fn a_stray_child_delays_nobody() {
    check(|| {
        let words = last_words(Words::Stray).to_string();
        let pid = words.strip_prefix("stray ").unwrap().parse().unwrap();
        assert!(!is_gone(pid), "it lives on");
        signal(pid, Signal::KILL);
        wait_until_gone(&[pid]);
    });
}

/// A task that writes for ever while others have work to do.
#[test]
fn a_flood_holds_up_nobody_else() {
    check(|| {
        let flood = iter::once(Words::Lines(usize::MAX, End::Return));
        let words: Vec<Words> = flood.chain(iter::repeat_n(Words::None, 1000)).collect();
        let run = asyn_pmap::<utter>(words).processes(2);
        let run = run.ordered(false).workers(discards());
        let run = run.start().unwrap();
        assert_eq!(run.into_iter().take(999).filter(Result::is_ok).count(), 999);
    });
}

fn pipe() -> (std::io::PipeReader, OwnedFd) {
    let (ours, theirs) = std::io::pipe().unwrap();
    (ours, theirs.into())
}

#[test]
fn nobody_reads_our_standard_error() {
    check(|| {
        let (reader, writer) = pipe();
        drop(reader);
        let words = [
            Words::Lines(10_000, End::Return),
            bytes("goodbye", End::Abort),
        ];
        let outcomes = with_stderr(writer, || one_by_one(words.into()));
        assert!(outcomes[0].is_ok());
        let words = &death(&outcomes[1]).last_words;
        assert!(words.stderr().ends_with(b"goodbye"), "{words:?}");
    });
}

/// Our standard error takes nothing: nobody waits for ever, and what was lost is told when it does.
#[test]
fn our_standard_error_is_stuck() {
    check(|| {
        let (mut reader, writer) = pipe();
        let words = [
            Words::Lines(200_000, End::Return),
            bytes("goodbye", End::Abort),
            bytes("late", End::Abort),
        ];
        let outcomes = with_stderr(writer, || one_by_one(words.into()));
        assert!(outcomes[0].is_ok());
        for (outcome, said) in [(&outcomes[1], "goodbye"), (&outcomes[2], "late")] {
            let words = &death(outcome).last_words;
            assert!(words.stderr().ends_with(said.as_bytes()), "{words:?}");
        }
        // Its last holder is gone, so it ends when all is written that waited.
        let mut passed_on = Vec::new();
        reader.read_to_end(&mut passed_on).unwrap();
        assert!(passed_on.starts_with(format!("{:31}\n{:31}\n", 0, 1).as_bytes()));
        assert!(passed_on.len() < 200_000 * 32);
    });
}

/// A worker that dies before it works tells why there are no workers.
#[test]
fn words_of_a_worker_that_is_none() {
    check(|| {
        let folder = Folder::temp();
        let program = folder.script("program", "echo no such luck >&2; exit 3");
        let workers = discards().program(program);
        let report = complete(run([Words::None]).workers(workers), 1);
        let why = report.error(0).to_string();
        assert!(why.ends_with("its last words:\nno such luck"), "{why}");
        let told = report.told(|event| {
            matches!(event, PoolEvent::WorkerFailed { cause, .. }
                if cause.to_string().contains("no such luck"))
        });
        assert!(told > 0);
    });
}

/// The lock of `std::io::stderr` is the caller's, and workers do not wait for it.
#[test]
fn a_locked_standard_error() {
    check(|| {
        let null = File::create("/dev/null").unwrap();
        with_stderr(null, || {
            let _lock = std::io::stderr().lock();
            complete(run([Words::Lines(100_000, End::Return)]), 1).values();
        });
    });
}
