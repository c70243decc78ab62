//! What workers write to their standard output.

use mt_pool::{WorkerStdout, worker_slot};

use crate::{platform::with_stdout, prelude::*};

const PRINTED: u64 = 500;
const ITEMS: u64 = 4;

/// Prints lines that the standard library writes in pieces; the first one ends what the test harness of this worker has
/// begun. Returns the worker's slot.
#[task]
fn prints(item: u64) -> u32 {
    println!();
    (0..PRINTED).for_each(|n| println!("<{item}|{n}|{:?}>", Some(n)));
    worker_slot().unwrap()
}

/// Runs, and returns the lines of tasks that were written to standard output by the time that there are so many, sorted.
fn printed(folder: &Folder, options: WorkerOptions, enough: u64) -> (Vec<u32>, Vec<String>) {
    let path = folder.file("printed");
    let file = std::fs::File::create(&path).unwrap();
    let lines = || {
        let text = std::fs::read_to_string(&path).unwrap();
        let of_tasks = text.lines().filter(|line| line.contains('<'));
        of_tasks.map(str::to_owned).collect::<Vec<_>>()
    };
    let slots = with_stdout(&file, || {
        let run = asyn_pmap::<prints>(0..ITEMS).processes(2);
        let slots = values(run.workers(options));
        wait_until(|| lines().len() as u64 >= enough);
        slots
    });
    let mut lines = lines();
    lines.sort();
    (slots, lines)
}

fn expected(prefix: impl Fn(u64) -> String) -> Vec<String> {
    let line = |item: u64, n: u64| format!("{}<{item}|{n}|{:?}>", prefix(item), Some(n));
    let lines = (0..ITEMS).flat_map(|item| (0..PRINTED).map(move |n| (item, n)));
    let mut lines: Vec<String> = lines.map(|(item, n)| line(item, n)).collect();
    lines.sort();
    lines
}

/// Case M192: Standard output is forwarded by whole lines, with the worker's slot before each if that is wanted.
#[test_with(in_folder)]
fn lines_are_forwarded_whole_and_say_whose_they_are(folder: Folder) {
    let all = ITEMS * PRINTED;
    let mode = |mode| WorkerOptions::new().stdout(mode);
    let (_, lines) = printed(&folder, mode(WorkerStdout::Forward), all);
    assert_eq!(lines, expected(|_| String::new()));
    let (slots, lines) = printed(&folder, mode(WorkerStdout::ForwardNumbered), all);
    assert_eq!(
        lines,
        expected(|item| format!("[{}] ", slots[item as usize]))
    );
}

/// Case M193: Standard output goes straight to this process's, or nowhere; a test's goes nowhere unless that is said.
#[test_with(in_folder)]
fn what_is_inherited_or_null_is_seen_or_not(folder: Folder) {
    let options = WorkerOptions::new;
    let inherited = options().stdout(WorkerStdout::Inherit);
    let (_, lines) = printed(&folder, inherited, ITEMS * PRINTED);
    assert_eq!(lines.len() as u64, ITEMS * PRINTED);
    for options in [options(), options().stdout(WorkerStdout::Null)] {
        let (_, lines) = printed(&folder, options, 0);
        assert_eq!(lines, [""; 0]);
    }
}

#[task]
fn prints_and_dies(words: String) -> u64 {
    println!("\n<{words}>");
    std::process::abort()
}

/// Case M194: The last lines of a worker that dies are written before its death is told, and its standard error is no
/// part of them.
#[test_with(in_folder)]
fn the_last_lines_of_a_worker_that_dies_are_not_lost(folder: Folder) {
    let path = folder.file("printed");
    let file = std::fs::File::create(&path).unwrap();
    let options = discards().stdout(WorkerStdout::Forward);
    let run = asyn_pmap::<prints_and_dies>(["goodbye".to_owned()]);
    let run = run.processes(1).crash_limit(1).workers(options);
    let report = with_stdout(&file, || complete(run, 1));
    assert!(report.crash(0).0.last_words.is_empty());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.ends_with("\n<goodbye>\n"), "{text}");
}
