//! The example that predicts with a queen and her worker bees, run as its users run it: a program with its
//! output and its exit code.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Output,
};

use mt_test_kit::{Running, Signal, children_of, example, signal, wait_until, wait_until_gone};
use serde_json::Value;

/// So that it takes a while, in several batches, without much of it being done at once.
const SLOWLY: [&str; 4] = ["--rows", "700", "--in-flight", "50"];

fn start(options: &[&str]) -> Running {
    Running::start(example("predict").args(options))
}

fn predict(options: &[&str]) -> Output {
    let output = start(&[&SLOWLY, options].concat()).output();
    assert!(output.status.code().is_some(), "{}", output.status);
    output
}

/// How many sockets a process has. Each task that waits for the archive has one in the queen's process.
fn sockets_of(pid: u32) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
    let descriptors = descriptors.into_iter().flatten().flatten();
    let links = descriptors.filter_map(|one| fs::read_link(one.path()).ok());
    links
        .filter(|link| link.as_os_str().as_encoded_bytes().starts_with(b"socket:"))
        .count()
}

/// The figure of the summary's line that begins so.
fn figure(summary: &[u8], line: &str) -> u64 {
    let summary = str::from_utf8(summary).unwrap();
    let cells = summary.lines().map(|line| line.trim_matches('│'));
    let mut cells = cells.filter_map(|line| line.split_once('┆'));
    let found = cells.find(|(what, _)| what.trim() == line);
    let (_, figure) = found.unwrap_or_else(|| panic!("no {line:?} in\n{summary}"));
    figure.trim().replace(',', "").parse().unwrap()
}

fn rows(output: &Output) -> Vec<Value> {
    let text = str::from_utf8(&output.stdout).unwrap();
    assert!(text.ends_with('\n'), "the last line is complete");
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// Case R10: `predict` gives the answers of one process, bit for bit, also while worker bees are killed.
#[test]
fn the_answers_are_those_of_one_process_also_when_bees_are_killed() {
    let single = predict(&["--single", "--json"]);
    assert_eq!(single.status.code(), Some(0));
    let output = predict(&["--json", "--bees", "2"]);
    assert!(
        output.stdout == single.stdout,
        "two bees say something else"
    );
    assert_eq!(output.status.code(), Some(0));
    let differ = "answers that differ by a bit or more";
    assert_eq!(figure(&output.stderr, differ), 0);
    assert_eq!(figure(&output.stderr, "answers kept in the archive"), 700);
    assert_eq!(figure(&output.stderr, "worker bees lost"), 0);
    let one = predict(&["--json", "--no-check", "--bees", "1"]);
    assert!(one.stdout == single.stdout, "one bee says something else");
    for bees in ["1", "2"] {
        let output = predict(&["--json", "--no-check", "--bees", bees, "--chaos=8"]);
        assert!(
            output.stdout == single.stdout,
            "{bees} bees that are killed say something else"
        );
        assert_eq!(output.status.code(), Some(0));
        assert!(figure(&output.stderr, "worker bees lost") > 0);
        assert!(figure(&output.stderr, "worker bees started") > bees.parse().unwrap());
        assert_eq!(figure(&output.stderr, "answers kept in the archive"), 700);
    }
}

#[test]
fn every_row_is_a_line_of_json() {
    let rows = rows(&predict(&["--json", "--no-check"]));
    assert_eq!(rows.len(), 700);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row["row"], number);
        assert_eq!(row["noisy"], number >= 400, "400 wines are unseen");
        let probabilities = row["probabilities"].as_array().unwrap().iter();
        let probabilities: Vec<f64> = probabilities.map(|it| it.as_f64().unwrap()).collect();
        let confidence = row["confidence"].as_f64().unwrap();
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(probabilities.iter().all(|it| *it <= confidence));
        assert!(probabilities.contains(&confidence));
    }
    let right = rows[..400]
        .iter()
        .filter(|row| row["grade"] == row["predicted"]);
    let share = right.count() as f64 / 400.0;
    assert!(share > 0.5, "it predicts better than a guess: {share}");
}

#[test]
fn a_damaged_record_is_an_error_of_its_row_alone() {
    let output = predict(&["--json", "--spoil", "3", "--no-check", "--bees", "2"]);
    let single = predict(&["--json", "--spoil", "3", "--single"]);
    assert!(output.stdout == single.stdout);
    assert_eq!(
        (output.status.code(), single.status.code()),
        (Some(1), Some(1))
    );
    let rows = rows(&output);
    let errors: Vec<_> = rows
        .iter()
        .filter_map(|row| row["error"].as_str())
        .collect();
    assert_eq!((rows.len(), errors.len()), (700, 3));
    for error in errors {
        assert!(
            error.starts_with("raised: row ") && error.contains("is \"n/a\""),
            "{error}"
        );
    }
    assert_eq!(figure(&output.stderr, "rows without an answer"), 3);
}

/// All rows are begun at once, so a bee that dies has hundreds, and one of them has killed her.
///
/// Case R11: When one record aborts every bee that reads it, `predict` loses that row and no other.
#[test]
fn a_record_that_kills_costs_its_row_alone() {
    let single = predict(&["--json", "--single"]);
    let single = rows(&single);
    for (bees, dispatch) in [("1", &["--credit"][..]), ("2", &[])] {
        let options = ["--rows", "700", "--bees", bees, "--json", "--poison=321"];
        let options = [&options, &["--in-flight", "1024"][..], dispatch].concat();
        let output = start(&options).output();
        assert_eq!(output.status.code(), Some(1));
        for (row, alone) in rows(&output).iter().zip(&single) {
            match row["error"].as_str() {
                None => assert_eq!(row, alone),
                Some(error) => {
                    assert_eq!(row["row"], 321);
                    let reason =
                        "cancelled: worker lost: its worker process was killed by signal 6";
                    assert!(error.starts_with(reason), "{error}");
                    assert!(error.contains("(attempts: 3)"), "{error}");
                }
            }
        }
        let said = str::from_utf8(&output.stderr).unwrap();
        assert!(said.contains("321 ┆ cancelled: worker lost: "), "{said}");
        let figure = |line| figure(&output.stderr, line);
        assert_eq!(figure("rows without an answer"), 1);
        assert_eq!(figure("answers kept in the archive"), 699);
        assert_eq!(figure("worker bees lost"), 3);
        assert_eq!(figure("answers that differ by a bit or more"), 0);
    }
}

#[test]
fn the_summary_is_on_stdout_unless_asked_for_json_and_nothing_else_is_said() {
    let output = predict(&[]);
    assert_eq!(figure(&output.stdout, "rows"), 700);
    assert!(output.stderr.is_empty(), "{output:?}");
    let quiet = predict(&["-q", "--no-check"]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[test]
fn another_seed_is_another_run_and_the_same_seed_the_same() {
    let run = |seed| predict(&["--json", "--single", "--seed", seed]).stdout;
    let seven = run("7");
    assert!(run("7") == seven);
    assert!(run("8") != seven);
}

#[test]
fn wrong_options_are_refused_before_anything_is_done() {
    let wrong = [
        ["--bees", "0"],
        ["--rows", "0"],
        ["--chaos", "--single"],
        ["--poison", "--single"],
        ["--rows=700", "--poison=700"],
    ];
    for options in wrong {
        let output = start(&options).output();
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(output.stdout.is_empty());
    }
    let help = start(&["--help"]).output();
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("--chaos"));
}

#[test]
fn ctrl_c_lets_it_finish_what_was_begun() {
    let options = ["--in-flight=50", "--latency-ms=500", "--json", "--bees=1"];
    let running = start(&[&["--rows=10000"][..], &options].concat());
    let queen = running.pid();
    wait_until(|| sockets_of(queen) > 40);
    signal(queen, Signal::INT);
    let output = running.output();
    assert_eq!(output.status.code(), Some(130));
    let rows = rows(&output);
    assert_eq!(rows.len(), 10_000);
    let errors = rows.iter().filter_map(|row| row["error"].as_str());
    let errors: Vec<&str> = errors.collect();
    assert!(!errors.is_empty(), "more was done than was begun");
    for error in errors {
        assert!(error.starts_with("cancelled: interrupted: "), "{error}");
    }
    let said = str::from_utf8(&output.stderr).unwrap();
    assert!(said.starts_with("predict: interrupted: "), "{said}");
    assert!(!said.contains("in one process"), "nothing else is begun");
}

#[test]
fn nothing_is_left_of_a_run_that_ctrl_c_has_ended() {
    let mut running = start(&["--bees", "3", "--latency-ms", "60000"]);
    let queen = running.pid();
    wait_until(|| sockets_of(queen) > 40);
    wait_until(|| children_of(queen).len() == 3);
    let bees = children_of(queen);
    let ctrl_c = || signal(queen, Signal::INT);
    ctrl_c();
    let mut said = String::new();
    let mut stderr = BufReader::new(running.stderr());
    stderr.read_line(&mut said).unwrap();
    assert!(said.contains("once more to stop at once"), "{said}");
    ctrl_c();
    // Comes to its end only when no process holds the other side any more.
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(running.wait().code(), None, "{said}");
    wait_until_gone(&bees);
}
