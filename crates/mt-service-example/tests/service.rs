//! The example `service`, put to its own test.
#![cfg(target_os = "linux")]

use mt_test_kit::{Running, example};

/// What the example says of itself with these options, and whether its exit code is 0.
fn said(options: &str) -> (String, bool) {
    let output = Running::start(example("service").args(options.split(' '))).output();
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    let said = format!("{out}{err}");
    (said, output.status.success())
}

fn check_under_load(options: &str) {
    let (said, is_well) = said(&format!("{options} --linger 2000 --grace 30000"));
    assert!(is_well, "{said}");
    let checks = said.lines().filter(|line| line.starts_with("ok "));
    assert_eq!(checks.count(), 12, "{said}");
    for (page, wanted) in [
        ("Deadly: 502", true),
        ("Endless: 504", true),
        ("FAILED", false),
    ] {
        assert_eq!(said.contains(page), wanted, "{said}");
    }
}

/// Case M195: A service whose workers crash and are killed answers each request by what became of its own call, sheds what
/// it has no room for, and ends by `SIGTERM` without losing an answer or leaving a process.
#[test]
fn every_request_has_the_answer_of_its_own_call() {
    check_under_load("--load 0.3 --deadline 1000");
}

/// A delegate's deadline counts from when it is delegated, so it has to be enough for three bees that die on a busy machine.
///
/// Case H65: The same of a service that holds a started hive: a bee that crashes costs its own request only.
#[test]
fn every_request_has_the_answer_of_its_own_delegate() {
    check_under_load("--by hive --load 0.3 --deadline 5000");
}

/// Which is quicker is for a machine that does nothing else.
///
/// Case M252: Under load without crashes neither a pool's calls nor a hive's delegates start a process once all are there.
#[test]
fn no_process_is_started_once_all_are_there() {
    let (said, _) = said("--compare 0.2 --deadline 60000");
    for wanted in [
        "ok     every document is rendered",
        "ok     no process was started after the warm-up",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
    let ends = said.matches("ok     it ends with exit code 0").count();
    assert_eq!(ends, 3, "{said}");
}
