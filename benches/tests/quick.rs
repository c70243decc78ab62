//! All rows of the comparison run, and each says what it measured.

use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn every_row_runs() {
    let _watchdog = mt_test_kit::watchdog("the quick comparison");
    let program = env!("CARGO_BIN_EXE_mt-bench");
    let output = Command::new(program)
        .args(["compare", "--quick", "--json"])
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).expect("text");
    let rows = text.lines().map(serde_json::from_str::<Value>);
    let rows: Vec<Value> = rows.collect::<Result<_, _>>().expect("JSON");
    assert!(rows.len() > 50, "{text}");
    for row in &rows {
        let is_measured = row["ratio"].as_f64().is_some_and(f64::is_finite);
        assert!(is_measured || row["missing"].is_string(), "{row}");
    }
}
