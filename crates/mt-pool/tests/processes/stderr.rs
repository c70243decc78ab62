//! What workers write to their standard error: it is passed on as it is, its end outlives the worker,
//! and nobody can use it to hold up the pool.

use std::{
    fs::File,
    io::{PipeReader, PipeWriter, Read, Seek},
};

use mt_pool::{WorkerStderr, supervision::LastWords};
use mt_test_kit::is_gone;

use crate::{
    platform::{self, with_stderr},
    prelude::*,
};

const KILL: Deed = Deed::Signal(9);
const RETURN: Deed = Deed::Return(0);

/// Says this and then does that.
fn say(words: impl AsRef<[u8]>, then: Deed) -> Deed {
    Deed::Say(words.as_ref().to_vec(), Box::new(then))
}

fn say_lines(count: usize, then: Deed) -> Deed {
    Deed::SayLines(count, Box::new(then))
}

/// Lines that [`say_lines`] says.
fn lines(count: usize) -> Vec<u8> {
    let lines = (0..count).map(|line| format!("{line:31}\n"));
    lines.collect::<String>().into_bytes()
}

/// One worker and one try.
fn run(deeds: impl Into<Vec<Deed>>) -> AsynPmap<act> {
    asyn_pmap::<act>(deeds.into()).processes(1).crash_limit(1)
}

/// The last words of the worker that one item ends.
fn last_words(deed: Deed) -> LastWords {
    let report = complete(run([deed]).workers(discards()), 1);
    report.crash(0).0.last_words
}

/// The outcomes of one worker that gets each item when the one before has its outcome: a death takes
/// nothing back.
fn one_by_one<const N: usize>(deeds: [Deed; N]) -> Vec<Outcome<act>> {
    let (told, tell) = sync_channel::<()>(1);
    told.send(()).unwrap();
    let deeds = deeds.into_iter().inspect(move |_| tell.recv().unwrap());
    let run = asyn_pmap::<act>(deeds).processes(1).crash_limit(1);
    let outcomes = run.start().unwrap().into_iter();
    let outcomes = outcomes.inspect(|_| told.try_send(()).unwrap_or_default());
    outcomes.collect()
}

/// An item has died with these last words.
fn died_saying(outcome: &Outcome<act>, said: &[u8]) {
    assert_is!(outcome.as_ref().unwrap_err().kind(), TaskErrorKind::Crashed { death, .. }
        if death.last_words.stderr().ends_with(said));
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

/// Case R42: What a dying worker has written last is in the error.
#[test_with(alone)]
fn what_dying_code_says_is_told() {
    for (deed, expected) in [
        (say("half a li", KILL), "half a li"),
        (say("goodbye\n", Deed::Abort), "goodbye\n"),
        (Deed::FreeTwice, "double free"),
        (Deed::Overflow, "has overflowed its stack"),
        (Deed::PanicTwice, "the first\u{7}"),
        (Deed::PanicTwice, "the second"),
    ] {
        let said = last_words(deed.clone());
        let text = String::from_utf8(said.stderr().to_vec()).unwrap();
        assert!(text.contains(expected), "{deed:?}: {said:?}");
    }
}

#[test_with(alone)]
fn silence_is_told_as_silence() {
    for deed in [Deed::CaughtPanic, KILL] {
        let report = complete(run([deed]), 1);
        assert!(report.crash(0).0.last_words.is_empty());
        let shown = report.error(0).to_string();
        assert!(!shown.contains("last words"), "{shown}");
    }
}

/// Case M96: Last words are shown with the error, as text that no terminal obeys.
#[test_with(alone)]
fn words_are_shown_with_the_error_and_obeyed_by_no_terminal() {
    let odd = b"first\n\x1b[2Jsecond\xff";
    let report = complete(run([say(odd, Deed::Abort)]).workers(discards()), 1);
    let shown = report.error(0).to_string();
    let words = "its last words:\nfirst\n\\u{1b}[2Jsecond\u{fffd}";
    assert!(shown.ends_with(words), "{shown}");
    assert_eq!(report.crash(0).0.last_words.stderr(), odd);
}

/// Case M95: The last 8 KiB of a standard error are kept, and how much came before is told.
#[test_with(alone)]
fn only_the_end_of_much_is_kept() {
    let words = last_words(say_lines(100_000, Deed::Abort));
    assert_eq!(words.stderr().len(), LastWords::STDERR_BYTES);
    assert!(words.stderr().ends_with(b"99999\n"));
    let written = words.cut_bytes() + LastWords::STDERR_BYTES as u64;
    assert_eq!(written, 100_000 * 32);
}

/// Every death of an item has the words of its own worker, and deaths of others have theirs.
#[test_with(alone)]
fn words_are_those_of_the_worker_that_died() {
    let deeds = (0..30).map(|n| match n % 3 {
        0 => say(format!("<{n}>"), Deed::Abort),
        _ => say("noise", RETURN),
    });
    let run = run(deeds.collect::<Vec<_>>()).processes(3);
    let report = complete(run.workers(discards()), 30);
    for index in (0..30).step_by(3) {
        let words = report.crash(index).0.last_words.to_string();
        assert!(words.ends_with(&format!("<{index}>")), "{words}");
    }
}

/// Case M93: What workers write to standard error is passed on unchanged.
#[test_with(alone)]
fn what_is_written_is_passed_on_as_it_is() {
    let odd = b"\xff\0\x1b[1m no line";
    let deeds = [say_lines(10_000, RETURN), say(odd, Deed::Abort)];
    let expected = [&lines(10_000)[..], odd].concat();
    let (report, passed_on) = seen(expected.len(), || complete(run(deeds), 2));
    assert!(passed_on == expected, "{} bytes", passed_on.len());
    assert!(report.crash(1).0.last_words.stderr().ends_with(odd));
}

/// Case M94: What is discarded is kept for last words, and of what is inherited nothing is known.
#[test_with(alone)]
fn what_is_discarded_is_kept_and_what_is_inherited_is_not() {
    for (mode, is_seen, is_kept) in [
        (WorkerStderr::Forward, true, true),
        (WorkerStderr::ForwardRaw, true, true),
        (WorkerStderr::Discard, false, true),
        (WorkerStderr::Inherit, true, false),
    ] {
        let run = run([say("words", Deed::Abort)]).workers(WorkerOptions::new().stderr(mode));
        let enough = if is_seen { 5 } else { 0 };
        let (report, passed_on) = seen(enough, || complete(run, 1));
        assert_eq!(passed_on == b"words", is_seen, "{mode:?}");
        let words = report.crash(0).0.last_words;
        assert_eq!(words.stderr() == b"words", is_kept, "{mode:?}");
    }
}

/// Something the worker has started lives on and holds its standard error open.
#[test_with(alone)]
fn a_stray_child_delays_nobody() {
    let words = last_words(Deed::LeaveWriter).to_string();
    let pid = words.strip_prefix("stray ").unwrap().parse().unwrap();
    assert!(!is_gone(pid), "it lives on");
    signal(pid, Signal::KILL);
    wait_until_gone(&[pid]);
}

/// A task that writes for ever while others have work to do.
#[test_with(alone)]
fn a_flood_holds_up_nobody_else() {
    let flood = iter::once(say_lines(usize::MAX, RETURN));
    let run = asyn_pmap::<act>(flood.chain(iter::repeat_n(RETURN, 1000)));
    // On a machine that is short of memory one item would run at a time, and that is the flood.
    let run = run.memory(MemoryLimits::new().pause_above(None));
    let run = run.processes(2).ordered(false).workers(discards());
    let outcomes = run.start().unwrap().into_iter();
    assert_eq!(outcomes.take(999).filter(Result::is_ok).count(), 999);
    // A run that is dropped waits for its workers for a second; with this flood a busy machine takes longer.
    wait_until(|| children().is_empty());
}

fn pipe() -> (PipeReader, PipeWriter) {
    std::io::pipe().unwrap()
}

#[test_with(alone)]
fn nobody_reads_our_standard_error() {
    let (reader, writer) = pipe();
    drop(reader);
    let deeds = [say_lines(10_000, RETURN), say("goodbye", Deed::Abort)];
    let outcomes = with_stderr(writer, || one_by_one(deeds));
    assert!(outcomes[0].is_ok());
    died_saying(&outcomes[1], b"goodbye");
}

/// Our standard error takes nothing: nobody waits for ever, and what was lost is told when it does.
///
/// Case D12: Nobody waits for ever for a standard error that takes nothing, and no last words are lost by it.
#[test_with(alone)]
fn our_standard_error_is_stuck() {
    let (mut reader, writer) = pipe();
    let deeds = [
        say_lines(200_000, RETURN),
        say("goodbye", Deed::Abort),
        say("late", Deed::Abort),
    ];
    let outcomes = with_stderr(writer, || one_by_one(deeds));
    assert!(outcomes[0].is_ok());
    died_saying(&outcomes[1], b"goodbye");
    died_saying(&outcomes[2], b"late");
    // Its last holder is gone, so it ends when all is written that waited.
    let mut passed_on = Vec::new();
    reader.read_to_end(&mut passed_on).unwrap();
    assert!(passed_on.starts_with(&lines(2)));
    assert!(passed_on.len() < 200_000 * 32);
}

/// A worker that dies before it works tells why there are no workers.
#[test_with(in_folder)]
fn words_of_a_worker_that_is_none(folder: Folder) {
    let program = folder.script("program", platform::SAYS_AND_EXITS_3);
    let report = complete(run([RETURN]).workers(discards().program(program)), 1);
    let why = report.error(0).to_string();
    let words = why
        .split_once("its last words:\n")
        .map(|(_, words)| words.trim_end());
    assert_eq!(words, Some("no such luck"), "{why}");
    let told = report.told(|event| {
        matches!(event, PoolEvent::WorkerFailed { cause, .. }
            if cause.to_string().contains("no such luck"))
    });
    assert!(told > 0);
}

/// The lock of `std::io::stderr` is the caller's, and workers do not wait for it.
#[test_with(alone)]
fn a_locked_standard_error() {
    with_stderr(File::create("/dev/null").unwrap(), || {
        let _lock = std::io::stderr().lock();
        complete(run([say_lines(100_000, RETURN)]), 1).values();
    });
}

const PRINTED: u64 = 1000;

/// Prints lines that the standard library writes in many pieces.
#[task]
fn prints(worker: u64) -> u64 {
    (0..PRINTED).for_each(|n| eprintln!("<{worker}|{n}|{}|{:?}>", worker * n, Some(n)));
    worker
}

/// Case 28: Lines that several workers print at once arrive whole.
#[test_with(alone)]
fn lines_of_many_workers_are_not_cut_into_each_other() {
    let line = |worker: u64, n: u64| format!("<{worker}|{n}|{}|{:?}>", worker * n, Some(n));
    let expected = (0..4).flat_map(|worker| (0..PRINTED).map(move |n| line(worker, n)));
    let expected: BTreeSet<String> = expected.collect();
    let bytes = expected.iter().map(|line| line.len() + 1).sum();
    let run = || complete(asyn_pmap::<prints>(0..4).processes(4), 4).values();
    let (_, printed) = seen(bytes, run);
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(
        printed.lines().map(str::to_owned).collect::<BTreeSet<_>>(),
        expected
    );
}

/// Case G10: What a shared worker has said in an earlier run is not among its last words in a later one.
#[test_with(alone)]
fn what_was_said_in_an_earlier_run_is_no_last_word_of_a_later_one() {
    let pool = Pool::builder().processes(1).start().unwrap();
    for is_said in [true, false, true, false] {
        complete_first(run([say_lines(500, say("theirs\n", Deed::Pid))]).pool(&pool));
        let kill = if is_said { say("ours\n", KILL) } else { KILL };
        let report = complete_later(run([kill]).pool(&pool));
        let words = report.unwrap_err();
        let TaskErrorKind::Crashed { death, .. } = words.kind() else {
            panic!("{words:?}");
        };
        let expected = if is_said { &b"ours\n"[..] } else { b"" };
        assert_eq!(death.last_words.stderr(), expected);
        assert_eq!(death.last_words.cut_bytes(), 0);
    }
}

/// The outcome of the only item of a run whose worker was another run's before.
fn complete_later(run: AsynPmap<act>) -> Outcome<act> {
    let mut run = run.start().unwrap().into_iter();
    let outcome = run.next().unwrap();
    assert!(run.next().is_none());
    assert_eq!(run.stats().workers_reused, 1);
    outcome
}

/// The value of the only item of a run.
fn complete_first(run: AsynPmap<act>) -> u64 {
    run.start().unwrap().into_iter().last().unwrap().unwrap()
}
