//! All rows of the comparison run, and each says what it measured.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::Value;

#[test]
fn every_row_runs_and_is_on_the_page() {
    let folder = mt_test_kit::Folder::temp();
    let page = folder.path().join("benchmarks.md");
    fs::write(
        &page,
        "a\n<!-- comparison -->\nold\n<!-- end of comparison -->\nz\n",
    )
    .expect("a page");
    let write = format!("--write={}", folder.path().display());
    let rows = compare(&["--alone", &write]);
    let page = fs::read_to_string(&page).expect("the page");
    assert!(
        page.starts_with("a\n<!-- c") && page.ends_with("n -->\nz\n") && !page.contains("old"),
        "{page}"
    );
    for plot in ["benchmarks-tasks.svg", "benchmarks-latency.svg"] {
        assert!(
            page.contains(plot) && folder.path().join(plot).exists(),
            "{page}"
        );
    }
    assert!(rows.len() > 50, "{} rows", rows.len());
    for row in &rows {
        let on_page = format!("| {} | {} |", row["id"], row["variant"]).replace('"', "");
        assert!(page.contains(&on_page), "{row}");
        let is_measured = row["ratio"].as_f64().is_some_and(f64::is_finite);
        assert!(is_measured || row["missing"].is_string(), "{row}");
    }
}

/// Which peers there are depends on what is installed, but each is told of.
#[test]
fn every_peer_runs_or_is_missing() {
    let rows = compare(&["--only", "P5"]);
    let held: Vec<&Value> = rows
        .iter()
        .filter(|row| row["variant"] == "socket")
        .collect();
    assert_eq!(held.len(), 1, "peers send bytes");
    for row in held {
        for name in ["multiprocessing", "joblib/loky", "mtbase", "procspawn"] {
            let why = row["peers_missing"][name].as_str();
            let is_told = why.is_some_and(|why| why.contains("--install"));
            assert!(row["peers"][name].is_f64() || is_told, "{name}: {row}");
        }
    }
}

fn compare(options: &[&str]) -> Vec<Value> {
    let _watchdog = mt_test_kit::watchdog("the quick comparison");
    let output = Command::new(env!("CARGO_BIN_EXE_mt-bench"))
        .args(["compare", "--quick", "--json"])
        .args(options)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).expect("text");
    let rows = text.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().expect("JSON")
}
