//! Short chaos: that it finds nothing, and tells what it has looked at.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn a_run() {
    let found = chaos(
        "a run under chaos",
        &["--tasks=20000", "--faults=7", "--kills-per-s=1"],
    );
    assert!(count(&found["told"]) >= 5, "{found}");
}

#[test]
fn a_hive() {
    let found = chaos(
        "a hive under chaos",
        &["--hive", "--tasks=5000", "--faults=6", "--kills-per-s=1"],
    );
    assert!(count(&found["told"]) >= 5, "{found}");
}

#[test]
fn single_calls() {
    let found = chaos(
        "calls under chaos",
        &["--calls", "--tasks=8000", "--faults=7", "--kills-per-s=5"],
    );
    let outcomes = &found["outcomes"];
    assert_eq!(count(outcomes), 8_000, "{found}");
    for kind in [
        "ok",
        "raised",
        "cancelled",
        "dropped",
        "ran_too_long",
        "waited_too_long",
    ] {
        assert!(outcomes[kind].as_u64() > Some(0), "{kind}: {found}");
    }
    assert!(found["cancelled"]["running"].as_u64() > Some(0), "{found}");
    assert!(
        found["worker_deaths"]["brought_about"].as_u64() > Some(0),
        "{found}"
    );
}

/// The sum of what has names.
fn count(counts: &Value) -> u64 {
    let counts = counts.as_object().expect("counts").values();
    counts.filter_map(Value::as_u64).sum()
}

fn chaos(what: &str, options: &[&str]) -> Value {
    let _watchdog = mt_test_kit::watchdog(what);
    let output = Command::new(env!("CARGO_BIN_EXE_mt-bench"))
        .args(["chaos", "--json"])
        .args(options)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    serde_json::from_str(&text).expect("JSON")
}
