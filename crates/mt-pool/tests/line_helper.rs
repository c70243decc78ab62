//! The example `line_helper`: another kind of crew on the storey that pool and hive stand on.
#![cfg(target_os = "linux")]

use mt_test_kit::{Running, example};

/// Case D6: A third role stands on supervised worker processes as the pool and the hive do.
#[test]
fn a_line_that_kills_its_helper_costs_that_line() {
    let output = Running::start(&mut example("line_helper")).output();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "stressed -> desserts");
    assert!(lines[1].starts_with("crash -> lost: "), "{said}");
    assert!(lines[1].contains("signal 6"), "{said}");
    assert_eq!(lines[2..], ["drawer -> reward"]);
    assert!(output.status.success());
}
