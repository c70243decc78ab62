//! The example `service`, put to its own test.
#![cfg(target_os = "linux")]

use mt_test_kit::{Running, example};

/// Case M195: A service whose workers crash and are killed answers each request by what became of its own call, sheds what
/// it has no room for, and ends by `SIGTERM` without losing an answer or leaving a process.
#[test]
fn every_request_has_the_answer_of_its_own_call() {
    let options = "--load 0.3 --deadline 1000 --linger 2000 --grace 30000";
    let output = Running::start(example("service").args(options.split(' '))).output();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{said}\n{output:?}");
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
